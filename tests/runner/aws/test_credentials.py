"""Where keys are found, in which order, and when they are renewed."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.aws.credentials import EARLY_SECONDS, LOG_IN, Credentials, _time
from runner.aws.errors import ConfigError

Files = Callable[..., None]
FILE_KEYS = "aws_access_key_id = {0}\naws_secret_access_key = secret-{0}\n"


def section(name: str, key: str) -> str:
    return f"[{name}]\n{FILE_KEYS.format(key)}"


def found(profile: str | None = None) -> str:
    """The access key that requests are signed with."""
    return Credentials(profile).current().access_key


def program(folder: Path, *, also: str = "") -> str:
    """A credential program that counts its calls in its keys."""
    script = folder / "program.py"
    end = "time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))"
    script.write_text(
        "import json, pathlib, time\n"
        f"calls = pathlib.Path({str(folder / 'calls')!r})\n"
        "calls.write_text((calls.read_text() if calls.exists() else '') + '.')\n"
        "keys = {'Version': 1, 'AccessKeyId': f'AKIDPROGRAM{len(calls.read_text())}', 'SecretAccessKey': 's'}\n"
        f"keys |= {{'SessionToken': 't', 'Expiration': {end}}}\n"
        f"{also}\n"
        "print(json.dumps(keys))\n"
    )
    return f"credential_process = {sys.executable} {script}\n"


@pytest.mark.usefixtures("keys")
def test_keys_of_the_environment_come_first_unless_a_profile_is_named(files: Files) -> None:
    files(credentials=section("default", "AKIDDEFAULT") + section("team", "AKIDTEAM"))

    assert found() == "AKIDENV"
    assert found("team") == "AKIDTEAM"
    assert found("default") == "AKIDDEFAULT"


@pytest.mark.usefixtures("keys")
def test_keys_of_the_environment_come_before_the_profile_that_the_environment_names(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(credentials=section("team", "AKIDTEAM"))
    monkeypatch.setenv("AWS_PROFILE", "team")

    assert found() == "AKIDENV"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert found() == "AKIDTEAM"


def test_the_file_of_credentials_comes_before_the_other_and_both_before_the_containers_role(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/never-asked")
    files(config=section("default", "AKIDCONFIG"), credentials=section("default", "AKIDCREDENTIALS"))
    assert found() == "AKIDCREDENTIALS"

    files(config=section("default", "AKIDCONFIG"))
    assert found() == "AKIDCONFIG"


def test_temporary_keys_have_their_token(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files(credentials=section("default", "AKIDFILE") + "aws_session_token = of-the-file\n")
    assert Credentials().current().token == "of-the-file"  # noqa: S105

    for name, value in (("ACCESS_KEY_ID", " AKID "), ("SECRET_ACCESS_KEY", "s"), ("SESSION_TOKEN", "of-the-shell")):
        monkeypatch.setenv(f"AWS_{name}", value)
    keys = Credentials().current()
    assert (keys.access_key, keys.secret_key, keys.token) == ("AKID", "s", "of-the-shell")
    assert Credentials("default").current().token == "of-the-file"  # noqa: S105


@pytest.mark.parametrize("where", ["variables", "file"])
def test_half_a_pair_of_keys_is_refused(files: Files, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    if where == "variables":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    else:
        files(credentials="[default]\naws_access_key_id = AKID\n")

    with pytest.raises(ConfigError) as caught:
        found()

    first, second = "aws_access_key_id", "aws_secret_access_key"
    names = (first.upper(), second.upper()) if where == "variables" else (first, second)
    assert str(caught.value) == f"{names[0]} is set and {names[1]} is not, expected both. {LOG_IN}"


def test_without_any_the_sentence_says_how_to_log_in() -> None:
    with pytest.raises(ConfigError) as caught:
        found()

    assert str(caught.value) == f"No AWS credentials were found. {LOG_IN}"


def test_without_botocore_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)

    with pytest.raises(ConfigError) as caught:
        found()

    assert str(caught.value) == (
        "No AWS credentials were found in variables, files or a container's role, and botocore, which knows other "
        f"ways, is not installed. {LOG_IN} Or: pip install 'penstock[aws]'"
    )


def test_a_credential_program_is_run_once_for_as_long_as_its_keys_are_good(tmp_path: Path, files: Files) -> None:
    files(config=f"[profile team]\n{program(tmp_path)}")
    credentials = Credentials("team")

    keys = credentials.current()

    assert (keys.access_key, keys.secret_key, keys.token) == ("AKIDPROGRAM1", "s", "t")
    assert keys.expires_at == pytest.approx(time.time() + 3600, abs=30)
    assert credentials.current() is keys
    assert (tmp_path / "calls").read_text() == "."


def test_a_credential_program_is_run_again_before_its_keys_end(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(config=f"[default]\n{program(tmp_path)}")
    credentials = Credentials()
    first = credentials.current()

    end = first.expires_at or 0.0
    monkeypatch.setattr(time, "time", lambda: end - EARLY_SECONDS - 1)
    assert credentials.current() is first
    monkeypatch.setattr(time, "time", lambda: end - EARLY_SECONDS + 1)
    assert credentials.current().access_key == "AKIDPROGRAM2"


def test_keys_stay_while_new_ones_cannot_be_had_but_no_longer_than_they_last(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = "if len(calls.read_text()) > 1: raise SystemExit('not now')"
    files(config=f"[default]\n{program(tmp_path, also=once)}")
    credentials = Credentials()
    first = credentials.current()

    end = first.expires_at or 0.0
    monkeypatch.setattr(time, "time", lambda: end - 10)
    assert credentials.current() is first
    monkeypatch.setattr(time, "time", lambda: end + 1)
    with pytest.raises(ConfigError, match=r"^The AWS credentials cannot be had \(.*not now\)\. Log in"):
        credentials.current()


def test_a_credential_program_that_fails_is_quoted_in_one_sentence(tmp_path: Path, files: Files) -> None:
    files(config=f"[default]\n{program(tmp_path, also='raise SystemExit(chr(10).join([chr(65), chr(66)]))')}")

    with pytest.raises(ConfigError) as caught:
        found()

    assert str(caught.value) == (
        "The AWS credentials cannot be had (Error when retrieving credentials from custom-process: A B). " + LOG_IN
    )


@pytest.mark.parametrize(
    "lines",
    ["role_arn = arn:aws:iam::123456789012:role/a\n", "sso_session = nowhere\nsso_account_id = 1\nsso_role_name = a\n"],
)
def test_a_role_or_single_sign_on_is_botocores_to_find(files: Files, lines: str) -> None:
    """Neither can be had here, and its sentence is kept; the keys of the profile itself are not used for it."""
    files(config=f"[default]\n{FILE_KEYS.format('AKIDCONFIG')}{lines}")

    with pytest.raises(ConfigError) as caught:
        found()

    text = str(caught.value)
    assert text.startswith("The AWS credentials cannot be had (")
    assert text.endswith(f"). {LOG_IN}")
    assert "\n" not in text


def test_lasting_keys_that_are_refused_are_looked_for_again_in_the_files(files: Files) -> None:
    files(credentials=section("default", "AKIDOLD"))
    credentials = Credentials()
    old = credentials.current()

    assert not credentials.renew(old)
    files(credentials=section("default", "AKIDNEW"))
    assert credentials.current() == old
    assert credentials.renew(old)
    assert credentials.current().access_key == "AKIDNEW"
    # Another thread had the old ones refused as well: there are other keys already, and nothing is read.
    files(credentials="")
    assert credentials.renew(old)
    assert credentials.current().access_key == "AKIDNEW"


def test_an_end_is_a_time_with_its_zone() -> None:
    at = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)

    assert _time("2026-01-31T08:30:00Z") == _time("2026-01-31T10:30:00+02:00") == at.timestamp()
    assert _time(None) is None
