from typing import Any

import pytest

from components.ecs_volumes import mounts, volumes
from runner.errors import ContractError

LAKE = {"name": "lake", "efs": {"file_system_id": "fs-1"}}
TMP = {"containerPath": "/tmp", "sourceVolume": "tmp"}


def test_there_is_a_folder_at_tmp_unless_something_else_is() -> None:
    there = [{"volume": "scratch", "path": "/tmp"}]

    assert (volumes(), mounts()) == ([{"name": "tmp"}], [TMP])
    assert volumes(volumes=[{"name": "scratch"}], mount_points=there) == [{"name": "scratch"}]
    assert mounts(volumes=[{"name": "scratch"}], mount_points=there) == [
        {"containerPath": "/tmp", "sourceVolume": "scratch"}
    ]


@pytest.mark.parametrize(
    ("efs", "expected"),
    [
        ({}, {"transit_encryption": "ENABLED"}),
        ({"transit_encryption": False}, {"transit_encryption": "DISABLED"}),
        ({"root_directory": "/x"}, {"transit_encryption": "ENABLED", "root_directory": "/x"}),
        (
            {"access_point_id": "fsap-1", "iam": True},
            {"transit_encryption": "ENABLED", "authorization_config": {"access_point_id": "fsap-1", "iam": "ENABLED"}},
        ),
    ],
)
def test_a_file_system_is_encrypted_on_its_way_unless_told_otherwise(efs: Any, expected: Any) -> None:
    found = volumes(volumes=[{"name": "lake", "efs": {"file_system_id": "fs-1", **efs}}])

    assert found[0] == {"name": "lake", "efs_volume_configuration": {"file_system_id": "fs-1", **expected}}


def test_their_order_means_nothing() -> None:
    assert volumes(volumes=[{"name": "z"}, LAKE]) == volumes(volumes=[LAKE, {"name": "z"}])


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ([LAKE, LAKE], "volumes[1].name"),
        ([{"name": "a/b"}], "volumes[0].name"),
        ([{"name": "tmp"}], "volumes[0].name"),
        (
            [{"name": "x", "efs": {"file_system_id": "f", "transit_encryption": False, "iam": True}}],
            "volumes[0].efs.transit_encryption",
        ),
        (
            [{"name": "x", "efs": {"file_system_id": "f", "access_point_id": "a", "root_directory": "/x"}}],
            "volumes[0].efs.root_directory",
        ),
    ],
)
def test_what_ecs_does_not_have_is_refused(given: Any, path: str) -> None:
    with pytest.raises(ContractError) as refusal:
        volumes(volumes=given)
    assert refusal.value.path == path


@pytest.mark.parametrize(
    ("points", "path"),
    [
        ([{"volume": "other", "path": "/x"}], "mount_points[0].volume"),
        ([{"volume": "lake", "path": "x"}], "mount_points[0].path"),
        ([{"volume": "lake", "path": "/x"}, {"volume": "lake", "path": "/x"}], "mount_points[1].path"),
    ],
)
def test_a_mount_that_is_none_is_refused(points: Any, path: str) -> None:
    with pytest.raises(ContractError) as refusal:
        mounts(volumes=[LAKE], mount_points=points)
    assert refusal.value.path == path
