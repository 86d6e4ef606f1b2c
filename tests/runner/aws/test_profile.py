"""What AWS' own configuration files say of a profile."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.aws.errors import ConfigError
from runner.aws.profile import settings

CONFIG = """
[default]
region = eu-west-1
[profile team]
region = eu-north-1
s3 =
  addressing_style = path
output = json
[profile other]
aws_access_key_id = AKIDCONFIG
region = us-east-1
"""
CREDENTIALS = """
[default]
aws_access_key_id = AKIDDEFAULT
[other]
aws_access_key_id = AKIDOTHER
aws_secret_access_key = 100%/secret=
"""

Files = Callable[..., None]


def test_both_files_are_read_and_that_of_credentials_wins(files: Files) -> None:
    files(config=CONFIG, credentials=CREDENTIALS)

    assert settings(None) == {"region": "eu-west-1", "aws_access_key_id": "AKIDDEFAULT"}
    assert settings("other") == {
        "region": "us-east-1",
        "aws_access_key_id": "AKIDOTHER",
        "aws_secret_access_key": "100%/secret=",
    }
    assert settings("team")["region"] == "eu-north-1"


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_the_profile_is_that_of_the_variable_unless_one_is_named(
    files: Files, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    files(config=CONFIG)
    monkeypatch.setenv(variable, "team")

    assert settings(None)["region"] == "eu-north-1"
    assert settings("other")["region"] == "us-east-1"


def test_without_files_the_usual_profile_says_nothing() -> None:
    assert settings(None) == {}
    assert settings("default") == {}


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_profile_that_is_nowhere_is_refused(files: Files, monkeypatch: pytest.MonkeyPatch, by_variable: bool) -> None:
    files(config=CONFIG, credentials=CREDENTIALS)
    if by_variable:
        monkeypatch.setenv("AWS_PROFILE", "téam")

    with pytest.raises(ConfigError) as caught:
        settings(None if by_variable else "téam")

    assert str(caught.value) == (
        "There is no profile 'téam' in the AWS configuration. "
        "Choose another with --profile or AWS_PROFILE, or make it with `aws configure`."
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"region = eu-west-1\n", "File contains no section headers"),
        (b"[default]\nregion\n", "Source contains parsing errors: {path!r}"),
        (b"[default]\nregion = \xff\n", "'utf-8' codec can't decode byte 0xff in position 19: invalid start byte"),
    ],
)
@pytest.mark.parametrize(
    ("name", "variable"), [("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, variable: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(ConfigError) as caught:
        settings(None)

    words = said.format(path=str(path))
    assert str(caught.value) == f"{path} cannot be read ({words}). Correct it, or name another with {variable}."


def test_files_are_in_the_home_folder_where_no_variable_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    (tmp_path / ".aws" / "credentials").write_text(CREDENTIALS)

    assert settings(None) == {"region": "eu-west-1", "aws_access_key_id": "AKIDDEFAULT"}

    monkeypatch.setenv("AWS_CONFIG_FILE", "~/elsewhere")
    (tmp_path / "elsewhere").write_text("[default]\nregion = sa-east-1\n")
    assert settings(None)["region"] == "sa-east-1"
