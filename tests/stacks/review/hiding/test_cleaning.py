"""What never comes out of a preview, and what does all the same."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from stacks.review.hiding.cleaning import DEEPEST, cleaned, cleaned_text, secrets_in
from stacks.review.hiding.looks_secret import without_credentials
from stacks.review.hiding.marks import SIGNATURE, UNKNOWN_TEXTS
from stacks.review.hiding.secret_names import is_secret_name
from stacks.review.values import SECRET, UNKNOWN

MADE_UP = "tr0ub4dor&3"
MARK = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270"}
SECRET_TYPE, PARAMETER = "kubernetes:core/v1:Secret", "aws:ssm/parameter:Parameter"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


def seen(type_: str, before: Any, after: Any) -> tuple[Any, Any, frozenset[str]]:
    known = secrets_in([(type_, before, after)])
    return cleaned(type_, before, after, known), cleaned(type_, after, before, known), known


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[secret]", SECRET),
        (MARK, SECRET),
        ({**MARK, "ciphertext": "[secret]"}, SECRET),
        ({**MARK, "plaintext": '"hunter-22"'}, SECRET),
        ({**MARK, "value": {"a": 1}}, SECRET),
        *((text, UNKNOWN) for text in sorted(UNKNOWN_TEXTS)),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}, SECRET),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "secret": False}, UNKNOWN),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "secret": False, "value": "x"}, "x"),
        ({SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "a.py", "hash": "ab" * 32}, "file a.py"),
        ({SIGNATURE: "0def7320c3a5731c473e5ecbe6d01bc7", "hash": "ab" * 32}, "archive with SHA-256 abababababab"),
        (
            {SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": "urn:pulumi:s::p::t::n"},
            "resource urn:pulumi:s::p::t::n",
        ),
        ({SIGNATURE: "0"}, "a value of a kind that is not known here"),
        (
            "urn::default::04da6b54-80e4-46f7-96ec-b56ff0331ba9",
            "urn::default::(known after the change)",
        ),
    ],
)
def test_marks_of_pulumi(value: object, expected: object) -> None:
    assert cleaned("t", {"field": value}, None, frozenset()) == {"field": expected}
    assert cleaned("t", {"deep": [{"field": value}]}, None, frozenset()) == {"deep": [{"field": expected}]}
    inside = cleaned("t", {"text": json.dumps({"field": value})}, None, frozenset())
    assert inside == {"text": {"field": expected}}


def test_what_is_behind_a_mark_is_hidden_everywhere() -> None:
    before = {"password": {**MARK, "plaintext": json.dumps(MADE_UP)}, "command": ["login", MADE_UP]}
    assert seen("t", before, None) == (
        {"password": SECRET, "command": ["login", SECRET]},
        None,
        frozenset({MADE_UP}),
    )


@pytest.mark.parametrize("mark", ["[secret]", MARK, {**MARK, "ciphertext": "[secret]"}])
def test_what_is_secret_on_one_side_is_so_on_the_other(mark: object) -> None:
    before, after = {"a": {"b": [mark]}, "note": "x"}, {"a": {"b": [MADE_UP]}, "note": f"with {MADE_UP}."}
    assert seen("t", before, after) == (
        {"a": {"b": [SECRET]}, "note": "x"},
        {"a": {"b": [SECRET]}, "note": "with (secret)."},
        frozenset({MADE_UP}),
    )
    assert seen("t", after, before)[0] == {"a": {"b": [SECRET]}, "note": "with (secret)."}


def test_a_structure_that_leaks_gives_away_what_is_secret_in_it_and_not_the_names() -> None:
    containers = json.dumps(
        [
            {
                "name": "flow",
                "image": "penstock.local/flights:test",
                "environment": [{"name": "DB_PASS", "value": "abc-def"}],
            }
        ]
    )
    before, after, known = seen(TASK, {"containerDefinitions": containers}, {"containerDefinitions": "[secret]"})
    assert (before, after) == ({"containerDefinitions": SECRET}, {"containerDefinitions": SECRET})
    assert known == {containers, "abc-def"}


def test_entries_of_lists_are_compared_by_name() -> None:
    before = [{"name": "A", "value": "[secret]"}, {"name": "B", "value": "open"}]
    after = [{"name": "B", "value": "open"}, {"name": "A", "value": MADE_UP}]
    assert seen("t", {"environment": before}, {"environment": after})[1] == {
        "environment": [{"name": "B", "value": "open"}, {"name": "A", "value": SECRET}]
    }


def test_names_of_entries_leak_as_well() -> None:
    before = [{"name": "[secret]"}, {"name": "B"}]
    after = [{"name": MADE_UP}, {"name": "B"}]
    assert seen("t", {"a": before}, {"a": after})[1:] == (
        {"a": [{"name": SECRET}, {"name": "B"}]},
        frozenset({MADE_UP}),
    )


def test_colours_do_not_keep_a_secret_from_being_seen() -> None:
    text = "\x1b[31mAKIAIOSFODNN7EXAMPLE\x1b[0m \x1b]8;;https://x\x07link\x1b]8;;\x07 se\x1b[1mcret-42"
    assert cleaned_text(text, frozenset({"secret-42"})) == "(secret) link (secret)"


def test_data_of_secrets_of_kubernetes() -> None:
    encoded = base64.b64encode(MADE_UP.encode()).decode()
    inputs = {
        "kind": "Secret",
        "metadata": {"name": "db", "annotations": {"note": f"is {MADE_UP}"}},
        "data": {"password": encoded, "user": base64.b64encode(b"flights").decode()},
        "stringData": {"other": "S3cr3t!!"},
    }
    before, _, known = seen(SECRET_TYPE, inputs, None)
    assert before == {
        "kind": "Secret",
        "metadata": {"name": "db", "annotations": {"note": "is (secret)"}},
        "data": {"password": SECRET, "user": SECRET},
        "stringData": {"other": SECRET},
    }
    # "flights", which could be the name of an object, is looked for nowhere else.
    assert known == {encoded, MADE_UP, "ZmxpZ2h0cw==", "S3cr3t!!"}


def test_secrets_inside_of_other_objects_of_kubernetes() -> None:
    inner = {"apiVersion": "v1", "kind": "Secret", "stringData": {"x": MADE_UP}}
    shown = cleaned("t", {"annotations": {"last-applied-configuration": json.dumps(inner)}}, None, frozenset())
    assert shown == {"annotations": {"last-applied-configuration": {**inner, "stringData": {"x": SECRET}}}}


def test_parameters_are_secret_unless_they_say_otherwise() -> None:
    document = json.dumps({"schema_version": 1, "kind": "x"})
    before, after, known = seen(PARAMETER, {"value": MADE_UP}, {"insecureValue": document, "value": document})
    assert before == {"value": SECRET}
    assert after == {"insecureValue": {"schema_version": 1, "kind": "x"}, "value": SECRET}
    assert known == {MADE_UP}


@pytest.mark.parametrize("name", ["password", "DB_PASSWORD", "masterUserPassword", "api_key", "penstock:api_token"])
def test_names_hide_values_and_make_them_known(name: str) -> None:
    properties = {name: MADE_UP, "text": f"<{MADE_UP}>"}
    assert seen("t", properties, None) == ({name: SECRET, "text": "<(secret)>"}, None, frozenset({MADE_UP}))
    pair = [{"name": name, "value": MADE_UP}, {"name": "HOME", "value": "/tmp"}]
    expected = [{"name": name, "value": SECRET}, {"name": "HOME", "value": "/tmp"}]
    assert seen("t", {"environment": json.dumps(pair)}, None)[0] == {"environment": expected}


@pytest.mark.parametrize(
    "name",
    [
        *("password", "passwd", "db_pwd", "DB_PASS", "token", "GITHUB_TOKEN", "secret", "clientSecret", "apiKey"),
        *("api-key", "private_key", "privateKeyPem", "credentials", "accessKey", "AWS_SECRET_ACCESS_KEY"),
        *("AWS_ACCESS_KEY_ID", "sessionToken", "spring.datasource.password", "penstock:token", "kubeconfig"),
        *(".dockerconfigjson", "connectionString", "passphrase", "account_key"),
    ],
)
def test_names_of_credentials(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("secretArn", "secretName", "secret_key_ref", "secrets_prefix", "valueFrom", "tokenUrl", "PWD", "key"),
        *("automountServiceAccountToken", "imagePullSecrets", "enableSecretMutable", "httpTokens", "kmsKeyId"),
        *("token.actions.githubusercontent.com:sub", "aws:TokenIssueTime", "tokenExpirationSeconds", "secrets"),
        *("passRole", "iam:PassRole", "compass", "publicKey", "sshKeyName", "secretsmanager", "credentialsParameter"),
        *("manageMasterUserPassword_enabled", "AWS_WEB_IDENTITY_TOKEN_FILE", "max_tokens", "passwordPolicy", ""),
    ],
)
def test_names_that_are_none_of_credentials(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "value", [True, False, 3, 2.5, None, "", "required", "arn:aws:ssm:eu-west-1:1:parameter/x", "$(X)"]
)
def test_values_that_are_none_of_credentials(value: object) -> None:
    assert seen("t", {"token": value}, None) == ({"token": value}, None, frozenset())


def test_where_credentials_are_is_shown() -> None:
    spec = {
        "volumes": [{"name": "v", "secret": {"secretName": "s", "items": [{"key": "k", "path": "p"}]}}],
        "env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}}],
        "secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"}],
        "rules": [{"resources": ["secrets"], "verbs": ["get"]}],
        "penstock:secrets": [{"env": "API_KEY", "secret": "api", "key": "key"}],
    }
    assert seen("kubernetes:core/v1:Pod", spec, None) == (spec, None, frozenset())


def test_credentials_under_names_of_their_own_and_behind_flags() -> None:
    properties = {
        "credentials": {"user": "u", "url": "https://x"},
        "command": ["x", "--password", "abc", "--token-file", "f"],
    }
    assert cleaned("t", properties, None, frozenset()) == {
        "credentials": {"user": SECRET, "url": "https://x"},
        "command": ["x", "--password", SECRET, "--token-file", "f"],
    }


LOOKS = (
    ("AKIAIOSFODNN7EXAMPLE", "(secret)"),
    ("key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY.", "key (secret)."),
    ("ghp_" + "aB3" * 12, "(secret)"),
    ("glpat-" + "aB3" * 7, "(secret)"),
    ("xoxb-1234567890-abc", "(secret)"),
    ("sk_live_" + "aB3" * 8, "(secret)"),
    ("npm_" + "aB3" * 12, "(secret)"),
    ("pypi-" + "aB3" * 12, "(secret)"),
    ("AIza" + "aB3" * 12, "(secret)"),
    ("pul-" + "0a" * 20, "(secret)"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "(secret)"),
    ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/(secret)"),
    ("a\n-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\nb", "a\n(secret)\nb"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", "(secret)"),
    ("to postgres://me:p@ss/word@db:5432/x now", "to postgres://me:(secret)@db:5432/x now"),
    ("https://0123456789abcdef0123@github.com/x", "https://(secret)@github.com/x"),
    ("Authorization: Bearer abcdef123", "Authorization: Bearer (secret)"),
    ("Basic dXNlcjpwYXNzd29yZA==", "Basic (secret)"),
    ("mysql --password=abc -h db", "mysql --password=(secret) -h db"),
    ('{"token": "abc", x', '{"token": "(secret)", x'),
    ("Server=x;Password=abc;User=y", "Server=x;Password=(secret);User=y"),
    ("x Zm9vYmFyQmF6MTIzNDU2Nzg5MGFiY0RFRg== y", "x (secret) y"),
)


@pytest.mark.parametrize(("text", "expected"), LOOKS)
def test_looks(text: str, expected: str) -> None:
    assert without_credentials(text) == expected
    assert cleaned_text(text, frozenset()) == expected
    assert cleaned("t", {"a": [text]}, None, frozenset()) == {"a": [SECRET if expected == "(secret)" else expected]}


@pytest.mark.parametrize(
    "text",
    [
        "sha256:" + "0a" * 32,
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/penstock/flights@sha256:" + "9f" * 32,
        "arn:aws:iam::123456789012:role/penstock-flights-eu-west-1-Execution2Role",
        "urn:pulumi:dask-prod::penstock::penstock:index:DaskCloudProviderEnvironment$aws:iam/role:Role::dask-prod-task",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "sg-0123456789abcdef0",
        "subnet-0123456789abcdef0",
        "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
        "basic authentication is off, the token: must be set",
        "https://sqs.eu-west-1.amazonaws.com:443/x",
        "project:///../../../srv/.venv/lib/python3.11/site-packages/pulumi/runtime/stack.py#235",
        "a=b --image=flights:test --token-file=/x",
        "AROAJ2UCCR6DPCEXAMPLE7",
    ],
)
def test_what_does_not_look_like_a_secret(text: str) -> None:
    assert without_credentials(text) == text


@pytest.mark.parametrize("hash_", ["sourceCodeHash", "etag", "imageDigest"])
def test_hashes_are_shown(hash_: str) -> None:
    value = "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d="
    assert cleaned("t", {hash_: value, "other": value}, None, frozenset()) == {hash_: value, "other": SECRET}


@pytest.mark.parametrize(
    "form",
    [
        lambda secret: secret,
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        lambda secret: quote(secret, safe=""),
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: json.dumps(json.dumps(secret))[3:-3],
    ],
    ids=["plain", "base64", "base64 for URLs", "URL", "JSON", "JSON in JSON"],
)
def test_known_secrets_in_every_form(form: Any) -> None:
    known = frozenset({'pä"ss/wörd>?'})
    written = form(next(iter(known)))
    assert cleaned_text(f"a {written} b", known) == "a (secret) b"
    assert cleaned("t", {f"key {written}": [f"{written}"]}, None, known) == {"key (secret)": [SECRET]}


@pytest.mark.parametrize("before", ["", "u:", "us:", "usr:"])
def test_known_secrets_inside_of_base64(before: str) -> None:
    inner = "correct horse battery"
    text = cleaned_text(base64.b64encode(f"{before}{inner}!".encode()).decode(), frozenset({inner}))
    left = text.replace("(secret)", "")
    assert "(secret)" in text
    assert len(left) <= 12


def test_lines_of_a_secret_are_known_too() -> None:
    text = "first line of a secret text\nsecond line of a secret text"
    known = secrets_in([("t", {"password": text}, None)])
    assert cleaned_text("| second line of a secret text", known) == "| (secret)"


@pytest.mark.parametrize(
    "secret", ["abc", "", "true", "cluster-admin", "0.0.0.0/0", "s3:*", "iam:PassRole", "latest", "8786"]
)
def test_short_and_common_words_are_hidden_at_their_own_place_only(secret: str) -> None:
    properties = {"password": {**MARK, "plaintext": json.dumps(secret)}, "other": secret}
    assert seen("t", properties, None) == ({"password": SECRET, "other": secret}, None, frozenset())


def test_a_short_secret_stands_by_itself() -> None:
    known = frozenset({"demo"})
    assert cleaned_text("demo: democracy, a-demo/x", known) == "(secret): democracy, a-(secret)/x"


def test_the_longest_secret_is_taken_first() -> None:
    assert cleaned_text("abcdefgh-ijkl", frozenset({"abcdefgh", "abcdefgh-ijkl"})) == "(secret)"


def test_keys_that_become_the_same_stay_apart() -> None:
    known = frozenset({"first-secret", "second-secret"})
    assert cleaned("t", {"first-secret": 1, "second-secret": 2}, None, known) == {"(secret)": 1, "(secret) 2": 2}


@pytest.mark.parametrize(
    "shape", [None, 1, "x", [], {}, [[]], {"data": [1]}, {"data": "x"}, {"value": {"a": 1}}, {"data": None}]
)
@pytest.mark.parametrize("type_", [SECRET_TYPE, PARAMETER, TASK, ""])
def test_any_shape_is_taken(type_: str, shape: object) -> None:
    for other in (None, "[secret]", MARK, [], {}, {"data": MARK}, shape):
        seen(type_, shape, other)


@pytest.mark.parametrize("depth", [DEEPEST - 10, DEEPEST + 10, 900])
def test_deep_nesting_is_hidden_and_harmless(depth: int) -> None:
    value: Any = {"password": MADE_UP}
    for _ in range(depth):
        value = [value]
    text = "[" * depth + json.dumps({"password": MADE_UP}) + "]" * depth
    for properties in ({"a": value}, {"a": text}):
        assert MADE_UP not in str(seen("t", properties, {"a": ["[secret]"]})[0])
    assert MADE_UP not in repr(cleaned("t", {"a": text}, None, frozenset({MADE_UP})))


def test_ten_thousand_levels_of_json_in_a_text_end_in_no_traceback() -> None:
    text = "[" * 10_000 + json.dumps(MADE_UP) + "]" * 10_000
    assert MADE_UP not in repr(cleaned("t", {"a": text}, None, frozenset({MADE_UP})))


@pytest.mark.parametrize(
    "unit", ["a", "A1b", "key=", "key ", "://a:", "eyJ", "-----BEGIN PRIVATE KEY-----", '"', "`", "token_"]
)
@pytest.mark.timeout(5)
def test_a_long_text_takes_no_long_time(unit: str) -> None:
    cleaned_text(unit * (300_000 // len(unit)), frozenset({"known-secret"}))
