"""ECS: clusters, their capacity providers, task definitions."""

import json
from typing import Any

from tests.testbed.aws.provider import containers
from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Tagging, Update
from tests.testbed.aws.provider.tables.forms import as_set, keyed, renamed
from tests.testbed.aws.provider.values import Unknown, Values

FARGATE = "FARGATE"


def _pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    return keyed(tags, "key", "value")


def tagging(read: Any) -> Tagging:
    """Tags of what has an ARN in ECS."""
    return Tagging(
        read=read,
        add=lambda it, tags: it.call(
            "tag_resource", resourceArn=it["arn"], tags=[{"key": key, "value": value} for key, value in tags.items()]
        ),
        remove=lambda it, tags: it.call("untag_resource", resourceArn=it["arn"], tagKeys=sorted(tags)),
    )


def _cluster(it: Item, *include: str) -> Any:
    found = it.call("describe_clusters", clusters=[it.id], include=list(include))["clusters"]
    return next((cluster for cluster in found if cluster["status"] == "ACTIVE"), None)


def _create_cluster(it: Item) -> str:
    answer = it.call(
        "create_cluster",
        clusterName=it["name"],
        settings=it["settings"],
        configuration=it["configuration"],
        serviceConnectDefaults=it["serviceConnectDefaults"],
    )
    return str(answer["cluster"]["clusterArn"])


def _read_cluster(it: Item) -> Values | None:
    cluster = _cluster(it, "SETTINGS", "CONFIGURATIONS")
    return cluster and {
        "id": cluster["clusterArn"],
        "arn": cluster["clusterArn"],
        "name": cluster["clusterName"],
        "settings": cluster.get("settings") or [],
        "configuration": cluster.get("configuration"),
    }


def _update_cluster(it: Item) -> None:
    it.call(
        "update_cluster",
        cluster=it.id,
        settings=it["settings"],
        configuration=it["configuration"],
        serviceConnectDefaults=it["serviceConnectDefaults"],
    )


def _cluster_tags(it: Item) -> dict[str, str]:
    return _pairs((_cluster(it, "TAGS") or {}).get("tags") or [])


def _put_capacity(it: Item) -> str:
    it.call(
        "put_cluster_capacity_providers",
        cluster=it["clusterName"],
        capacityProviders=it["capacityProviders"] or [],
        defaultCapacityProviderStrategy=it["defaultCapacityProviderStrategies"] or [],
    )
    return str(it["clusterName"])


def _read_capacity(it: Item) -> Values | None:
    cluster = _cluster(it)
    if cluster is None or (not cluster.get("capacityProviders") and not cluster.get("defaultCapacityProviderStrategy")):
        return None
    return {
        "clusterName": cluster["clusterName"],
        "capacityProviders": cluster.get("capacityProviders") or [],
        "defaultCapacityProviderStrategies": cluster.get("defaultCapacityProviderStrategy") or [],
    }


def _drop_capacity(it: Item) -> None:
    it.call("put_cluster_capacity_providers", cluster=it.id, capacityProviders=[], defaultCapacityProviderStrategy=[])


TASK = (
    "family cpu memory networkMode executionRoleArn taskRoleArn requiresCompatibilities ephemeralStorage "
    "runtimePlatform volumes placementConstraints ipcMode pidMode"
)


def _create_task(it: Item) -> str:
    text = it["containerDefinitions"]
    it.call(
        "register_task_definition",
        containerDefinitions=text if isinstance(text, Unknown) else containers.parse(text),
        **{name: it[name] for name in TASK.split() if name != "volumes"},
        volumes=_volumes(it["volumes"]),
    )
    return str(it["family"])


def _volumes(given: Any) -> Any:
    if not isinstance(given, list):
        return given
    return [
        {
            ("host" if key == "hostPath" else key): ({"sourcePath": value} if key == "hostPath" else value)
            for key, value in volume.items()
        }
        for volume in given
    ]


def _describe_task(it: Item) -> Any:
    which = it["arn"] if it["arn"] and not it["trackLatest"] else it.id
    return it.found("describe_task_definition", "ClientException", taskDefinition=which, include=["TAGS"])


def _read_task(it: Item) -> Values | None:
    answer = _describe_task(it)
    if answer is None or answer["taskDefinition"].get("status") != "ACTIVE":
        return None
    task = answer["taskDefinition"]
    same = renamed(task, {name: name for name in TASK.split() if name not in {"volumes", "ipcMode", "pidMode"}})
    return {
        **same,
        "id": task["family"],
        "arn": task["taskDefinitionArn"],
        "arnWithoutRevision": task["taskDefinitionArn"].rsplit(":", 1)[0],
        "revision": task["revision"],
        "containerDefinitions": json.dumps(task["containerDefinitions"]),
    }


def _task_tags(it: Item) -> dict[str, str]:
    return _pairs((_describe_task(it) or {}).get("tags") or [])


def _deregister(it: Item) -> None:
    if not it["skipDestroy"]:
        it.call("deregister_task_definition", taskDefinition=it["arn"])


TYPES = {
    "aws:ecs/cluster:Cluster": ResourceType(
        service="ecs",
        create=_create_cluster,
        read=_read_cluster,
        delete=lambda it: it.call("delete_cluster", cluster=it.id),
        fixed="name",
        updates=(Update(inputs="settings configuration serviceConnectDefaults", apply=_update_cluster),),
        computed="settings configuration serviceConnectDefaults",
        autoname=Autoname(input="name", longest=255),
        tagging=tagging(_cluster_tags),
        compared={"settings": as_set},
        cloudformation=("AWS::ECS::Cluster", {"name": "ClusterName", "settings": "ClusterSettings"}),
        gone=frozenset({"ClusterNotFoundException"}),
    ),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": ResourceType(
        service="ecs",
        create=_put_capacity,
        read=_read_capacity,
        delete=_drop_capacity,
        fixed="clusterName",
        updates=(Update(inputs="capacityProviders defaultCapacityProviderStrategies", apply=_put_capacity),),
        compared={"capacityProviders": as_set, "defaultCapacityProviderStrategies": as_set},
        gone=frozenset({"ClusterNotFoundException"}),
    ),
    "aws:ecs/taskDefinition:TaskDefinition": ResourceType(
        service="ecs",
        create=_create_task,
        read=_read_task,
        delete=_deregister,
        fixed=f"{TASK} containerDefinitions",
        local="skipDestroy trackLatest",
        defaults={"skipDestroy": False, "trackLatest": False},
        tagging=tagging(_task_tags),
        compared={"containerDefinitions": containers.canonical, "requiresCompatibilities": as_set},
        check=containers.refused,
        gone=frozenset({"ClientException"}),
    ),
}
