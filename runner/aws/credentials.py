"""Finds the credentials that requests to AWS are signed with.

What needs no more than this machine is done here: keys in variables and files, and the roles of containers. For what
asks AWS first (single sign-on, assumed roles, credential programs, a machine's role) botocore is asked, if it is there.
"""

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from runner.aws.errors import ConfigError
from runner.aws.profile import settings
from runner.aws.sigv4 import Keys
from runner.http.retry import Attempts

CONTAINER_HOST = "169.254.170.2"
"""Where ECS answers for the role of a task (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
POD_HOSTS = ("169.254.170.23", "fd00:ec2::23")
"""Where EKS answers for the role of a pod."""
CONTAINER_SECONDS = 5.0
EARLY_SECONDS = 300.0
"""Temporary keys are renewed this long before they end, so that no request is signed with keys that end under way."""
NEEDS_BOTOCORE = (
    *("role_arn", "sso_session", "sso_start_url", "sso_account_id"),
    *("credential_process", "web_identity_token_file", "login_session"),
)
LOG_IN = "Log in (`aws sso login`, `aws configure`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


class Credentials:
    """Keys that are found when they are needed, and renewed before they end. Any thread may use it.

    Args:
        profile: profile of AWS' files; null for what the environment says.
    """

    def __init__(self, profile: str | None = None) -> None:
        self._profile = profile
        self._lock = threading.Lock()
        self._find: Callable[[], Keys] | None = None
        self._keys: Keys | None = None

    def current(self) -> Keys:
        """The keys to sign with now.

        Raises:
            ConfigError: there are none.
        """
        with self._lock:
            if self._keys is None or _ends_soon(self._keys):
                self._find = self._find or _source(self._profile)
                try:
                    self._keys = self._find()
                except ConfigError:
                    # Those that there are still work: who gives new ones may be back before they end.
                    if self._keys is None or _ends_soon(self._keys, early=0.0):
                        raise
            return self._keys

    def renew(self, refused: Keys) -> bool:
        """Look for other keys than those that AWS refused; false when there are none."""
        with self._lock:
            if self._keys is None or self._keys.access_key == refused.access_key:
                self._find = _source(self._profile)
                self._keys = self._find()
            return self._keys.access_key != refused.access_key


def _ends_soon(keys: Keys, early: float = EARLY_SECONDS) -> bool:
    return keys.expires_at is not None and time.time() > keys.expires_at - early


def _source(profile: str | None) -> Callable[[], Keys]:
    """What gives the keys, in the order in which AWS' own SDKs look."""
    env = os.environ
    if profile is None and env.get("AWS_ACCESS_KEY_ID"):
        return lambda: _static(env, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    said = settings(profile)
    if (profile is None and env.get("AWS_WEB_IDENTITY_TOKEN_FILE")) or any(name in said for name in NEEDS_BOTOCORE):
        return _of_botocore(profile)
    if "aws_access_key_id" in said:
        return lambda: _static(said, "aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    if env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") or env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return _of_container
    return _of_botocore(profile)


def _static(values: Mapping[str, str], access: str, secret: str, token: str) -> Keys:
    if not values.get(secret):
        raise ConfigError(f"{access} is set and {secret} is not, expected both. {LOG_IN}")
    return Keys(access_key=values[access].strip(), secret_key=values[secret].strip(), token=values.get(token) or None)


def _of_container() -> Keys:
    """The keys of the role that this container has, from the platform's agent beside it."""
    relative = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = f"http://{CONTAINER_HOST}{relative}" if relative else os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    target = urlsplit(url)
    host = target.hostname or ""
    if target.scheme != "https" and host not in (CONTAINER_HOST, *LOOPBACK, *POD_HOSTS):
        raise ConfigError(f"The credentials of this container are at {host}, expected an address of the container's.")
    attempts = Attempts(CONTAINER_SECONDS)
    while True:
        try:
            status, body = _asked(target, _container_token())
            if status == 200:
                return _keys(json.loads(body))
            # The agent answers with these while it starts, or when many containers ask at once.
            passing = status == 429 or status >= 500
            failure = ConfigError(f"The role of this container has no credentials (HTTP {status}). {LOG_IN}")
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            passing = isinstance(error, ConnectionError | TimeoutError | http.client.HTTPException)
            said = type(error).__name__ if isinstance(error, KeyError | TypeError) else error
            failure = ConfigError(f"The credentials of this container cannot be read from {host} ({said}). {LOG_IN}")
        if not passing:
            raise failure
        time.sleep(attempts.delay(failure))


def _asked(target: SplitResult, token: str | None) -> tuple[int, bytes]:
    """Status and body of the agent's answer."""
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = kind(target.hostname or "", target.port, timeout=CONTAINER_SECONDS)
    try:
        path = f"{target.path}{'?' if target.query else ''}{target.query}"
        connection.request("GET", path, headers={"Authorization": token} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _keys(found: Mapping[str, str]) -> Keys:
    return Keys(
        access_key=found["AccessKeyId"],
        secret_key=found["SecretAccessKey"],
        token=found.get("Token"),
        expires_at=_time(found.get("Expiration")),
    )


def _container_token() -> str | None:
    path = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if not path:
        return os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return file.read().strip()


def _time(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _of_botocore(profile: str | None) -> Callable[[], Keys]:
    try:
        import botocore.exceptions
        import botocore.session
    except ImportError:
        raise ConfigError(
            f"No AWS credentials were found in variables, files or a container's role, and botocore, which knows other "
            f"ways, is not installed. {LOG_IN} Or: pip install 'penstock[aws]'"
        ) from None

    def find() -> Keys:
        try:
            found = botocore.session.Session(profile=profile).get_credentials()
            frozen = found and found.get_frozen_credentials()
        except botocore.exceptions.BotoCoreError as error:
            said = " ".join(str(error).split()).rstrip(".")
            raise ConfigError(f"The AWS credentials cannot be had ({said}). {LOG_IN}") from None
        if not frozen or not frozen.access_key:
            raise ConfigError(f"No AWS credentials were found. {LOG_IN}")
        expires = getattr(found, "_expiry_time", None)  # botocore tells it nowhere else
        return Keys(
            access_key=frozen.access_key,
            secret_key=frozen.secret_key,
            token=frozen.token,
            expires_at=expires.timestamp() if isinstance(expires, datetime) else None,
        )

    return find
