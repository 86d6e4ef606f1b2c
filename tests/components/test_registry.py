import base64
import json

import pytest

from components.registry import docker_config
from runner.errors import ContractError


def test_the_secret_has_the_bytes_that_docker_writes() -> None:
    credentials = [
        {"server": "registry.example", "username": "bob", "password": "hunter2", "email": "bob@example.com"},
        {"server": "other.example:5000", "username": "ci", "password": "p:ä"},
    ]

    text = base64.b64decode(docker_config(credentials) or "").decode()

    assert json.loads(text) == {
        "auths": {
            "registry.example": {
                "username": "bob",
                "password": "hunter2",
                "email": "bob@example.com",
                "auth": base64.b64encode(b"bob:hunter2").decode(),
            },
            "other.example:5000": {
                "username": "ci",
                "password": "p:ä",
                "auth": base64.b64encode("ci:p:ä".encode()).decode(),
            },
        }
    }
    assert docker_config(list(reversed(credentials))) == docker_config(credentials)


def test_without_a_login_there_is_no_secret() -> None:
    assert docker_config() is None
    assert docker_config([]) is None


def test_a_registry_that_is_there_twice_is_refused_without_telling_its_login() -> None:
    login = {"server": "registry.example", "username": "bob", "password": "hunter2"}

    with pytest.raises(ContractError, match=r"registry_credentials\[1\]\.server is given before, expected") as refusal:
        docker_config([login, login])

    assert "hunter2" not in str(refusal.value)
