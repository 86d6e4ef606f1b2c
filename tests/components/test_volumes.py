from typing import Any

import pytest

from components.volumes import GROUP, group_for, mount, volume
from runner.errors import ContractError

DATA = {"name": "data", "mount_path": "/data"}


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ({"config_map": "settings"}, {"configMap": {"name": "settings"}}),
        ({"secret": "tls"}, {"secret": {"secretName": "tls"}}),
        ({"persistent_volume_claim": "lake"}, {"persistentVolumeClaim": {"claimName": "lake"}}),
        ({"empty_dir_mib": 2048}, {"emptyDir": {"sizeLimit": "2Gi"}}),
    ],
)
def test_each_source_has_its_field(source: dict[str, Any], fields: dict[str, Any]) -> None:
    assert volume({**DATA, **source}, "volumes[0]") == {"name": "data", **fields}


def test_a_mount_says_where_how_and_what_of_it() -> None:
    assert mount(DATA, "volumes[0]") == {"name": "data", "mountPath": "/data"}
    assert mount({**DATA, "read_only": True, "sub_path": "2024"}, "volumes[0]") == {
        "name": "data",
        "mountPath": "/data",
        "readOnly": True,
        "subPath": "2024",
    }


def test_files_get_a_group_only_where_a_claim_is_written_to() -> None:
    assert group_for([{**DATA, "persistent_volume_claim": "lake"}]) == GROUP
    assert group_for([{**DATA, "persistent_volume_claim": "lake", "read_only": True}, {**DATA, "secret": "x"}]) is None


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (DATA, "volumes[0] is with no source, expected exactly one of config_map, secret,"),
        (
            {**DATA, "secret": "a", "config_map": "b"},
            "volumes[0] is with config_map and secret, expected exactly one of",
        ),
        ({**DATA, "name": "My data", "secret": "a"}, 'volumes[0].name is "My data", expected at most 63'),
        ({**DATA, "empty_dir_mib": 0}, "volumes[0].empty_dir_mib is 0, expected a whole number of at least 1"),
    ],
)
def test_a_volume_that_cannot_be_is_refused(item: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        volume(item, "volumes[0]")

    assert sentence in str(refusal.value)


@pytest.mark.parametrize("path", ["data", "", "/a:b"])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(ContractError, match=r"volumes\[0\]\.mount_path is .*, expected an absolute path"):
        mount({**DATA, "mount_path": path}, "volumes[0]")
