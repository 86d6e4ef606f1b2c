"""Finds in any text what looks like a credential, whatever the field is called."""

import re

from stacks.review.hiding.secret_names import is_secret_name

REPLACEMENT = "(secret)"
SHORTEST = 8
"""Characters of the shortest text that any of the patterns can find something in."""

TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS: ids of access keys
    r"|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"  # GitHub
    r"|gl[a-z]{2,6}-[\w-]{20,}"  # GitLab
    r"|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}"  # Slack
    r"|[sr]k_(?:live|test)_\w{10,}|whsec_\w{10,}"  # Stripe
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|dckr_pat_[\w-]{20,}"  # package registries
    r"|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"  # Google
    r"|pul-[0-9a-f]{40}|hvs\.[\w-]{20,}|dop_v1_[0-9a-f]{40,}|dapi[0-9a-f]{32}"  # Pulumi, Vault, and clouds
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|sk-[\w-]{32,}|hf_[A-Za-z0-9]{30,}"  # SendGrid, OpenAI, Hugging Face
    r"|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*"  # JSON Web Tokens
    r")"
)
TOKEN_MARKS = re.compile(
    r"AKIA|ASIA|ABIA|ACCA|gh[opsur]_|github_pat_|gl[a-z]{2,6}-|xox|xapp-|k_live_|k_test_|whsec_|npm_|pypi-|dckr_pat_|AIza"
    r"|ya29|GOCSPX|pul-|hvs\.|dop_v1_|dapi|SG\.|sk-|hf_|eyJ"
)
SLACK_HOOK = re.compile(r"(hooks\.slack\.com/(?:services|workflows)/)[\w/-]+")
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----.*?(?:-----END [^-]{0,80}-----|\Z)", re.DOTALL
)
IN_URL = re.compile(r"(?<=://)([^\s/:@\"'<>]{0,200}:)[^\s\"'<>]{1,300}@")
"""A password; a user without one may be a token."""
USER_IN_URL = re.compile(r"(?<=://)[\w.-]{20,200}@")
BEARER = re.compile(r"(\b(?:[Bb]earer|BEARER|[Bb]asic)\s+)([A-Za-z0-9._~+/=-]{8,})")
ASSIGNED = re.compile(
    r"(?i)((?<![A-Za-z0-9_-])[\w-]{0,100}?(?:pass|pwd|secret|token|key|credential)[\w-]{0,60}\"?\s{0,3}(?:=|:(?=\s?\"))\s{0,3})"
    r"(\"[^\"]{1,500}\"|'[^']{1,500}'|[^\s\"'&;,]{1,500})"
)
RUN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
PIECE = re.compile(r"[A-Za-z0-9+]{20,}")
CHANGE = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
CHANGES = 0.4
"""Smallest share of characters that are of another sort than the one before: 0.64 in random base64, 0.3 in names."""
AWS_SECRET_KEY = re.compile(r"[A-Za-z0-9/+]{40}")
AWS_CHANGES = 0.28
"""The same for texts that are exactly as long as a secret key of AWS, the one of its manuals among them."""
MOST_SLASHES = 3
PLAIN_VALUES = frozenset(
    {"", "true", "false", "none", "null", "required", "optional", "enabled", "disabled", "default", "auto", "always"}
)
"""Values that no credential has, though fields that are called like one may: `httpTokens: required`."""
REFERENCE = re.compile(
    r"arn:aws|urn:pulumi:|\$\(\w+\)$|\$\{[\w.:-]+\}$|\[secret\]$|\(secret\)$|\(known after the change\)$"
)


def is_plain(value: str) -> bool:
    """Whether a value is none of a credential, whatever its field is called: a switch, or where the credential is."""
    return value.lower() in PLAIN_VALUES or REFERENCE.match(value) is not None


def without_credentials(text: str) -> str:
    """The text with "(secret)" where something looks like a credential."""
    if len(text) < SHORTEST:
        return text
    if TOKEN_MARKS.search(text):
        text = TOKENS.sub(REPLACEMENT, text)
    if "PRIVATE KEY" in text:
        text = PRIVATE_KEY.sub(REPLACEMENT, text)
    if "slack.com/" in text:
        text = SLACK_HOOK.sub(rf"\1{REPLACEMENT}", text)
    if "@" in text and "://" in text:
        text = IN_URL.sub(rf"\1{REPLACEMENT}@", text)
        text = USER_IN_URL.sub(f"{REPLACEMENT}@", text)
    if "earer " in text or "asic " in text or "BEARER " in text:
        text = BEARER.sub(_bearer, text)
    if "=" in text or '":' in text or '" :' in text:
        text = ASSIGNED.sub(_assigned, text)
    return RUN.sub(_run, text)


def is_random(text: str, changes: float = CHANGES) -> bool:
    """Whether letters of both cases and digits are mixed as nobody would write them."""
    if not (any(map(str.islower, text)) and any(map(str.isupper, text)) and any(map(str.isdigit, text))):
        return False
    return len(CHANGE.findall(text)) >= changes * len(text)


def _run(match: "re.Match[str]") -> str:
    found = match[0]
    if match.string[max(match.start() - 8, 0) : match.start()].lower().endswith(("sha256:", "sha512:")):
        return found
    # Of a path, only a whole piece can be a credential; of base64, which may have slashes too, all of it is.
    if found.startswith(("sha256-", "sha384-", "sha512-")):
        return found
    whole = found.rstrip("=")
    if AWS_SECRET_KEY.fullmatch(found) and whole.count("/") <= MOST_SLASHES and is_random(whole, AWS_CHANGES):
        return REPLACEMENT
    return REPLACEMENT if any(map(is_random, PIECE.findall(whole))) else found


def _bearer(match: "re.Match[str]") -> str:
    is_one = len(match[2]) >= 16 or any(map(str.isdigit, match[2]))
    return match[1] + REPLACEMENT if is_one else match[0]


def _assigned(match: "re.Match[str]") -> str:
    name = re.sub(r"[\"\s=:]+$", "", match[1]).lstrip("-")
    value = match[2].strip("\"'")
    if not is_secret_name(name) or is_plain(value):
        return match[0]
    return match[1] + match[2].replace(value, REPLACEMENT)
