"""RDS: databases of one instance, with a password that AWS keeps."""

from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Tagging, Update
from tests.testbed.aws.provider.tables.forms import keyed, listed, renamed
from tests.testbed.aws.provider.values import Values

CREATED = {
    "engine": "Engine",
    "username": "MasterUsername",
    "instanceClass": "DBInstanceClass",
    "allocatedStorage": "AllocatedStorage",
    "manageMasterUserPassword": "ManageMasterUserPassword",
    "publiclyAccessible": "PubliclyAccessible",
}
CHANGED = {name: CREATED[name] for name in ("instanceClass", "allocatedStorage", "publiclyAccessible")}


def _create(it: Item) -> str:
    given = {key: it[name] for name, key in CREATED.items()}
    answer = it.call("create_db_instance", DBInstanceIdentifier=it["identifier"], **given)
    return str(answer["DBInstance"]["DbiResourceId"])


def _instance(it: Item) -> Any:
    mine = [{"Name": "dbi-resource-id", "Values": [it.id]}]
    return next(iter(it.call("describe_db_instances", Filters=mine)["DBInstances"]), None)


def _read(it: Item) -> Values | None:
    found = _instance(it)
    if found is None:
        return None
    kept = {name: key for name, key in CREATED.items() if name != "manageMasterUserPassword"}
    outputs = {"arn": "DBInstanceArn", "resourceId": "DbiResourceId", "status": "DBInstanceStatus"}
    place = found.get("Endpoint") or {}
    return {
        **renamed(found, {**kept, **outputs, "identifier": "DBInstanceIdentifier"}),
        "manageMasterUserPassword": "MasterUserSecret" in found or None,
        "address": place.get("Address"),
        "endpoint": f"{place.get('Address')}:{place.get('Port')}",
        "engineVersionActual": found.get("EngineVersion"),
        "replicas": found.get("ReadReplicaDBInstanceIdentifiers") or [],
    }


def _rename(it: Item) -> None:
    names = {"DBInstanceIdentifier": it.before["identifier"], "NewDBInstanceIdentifier": it["identifier"]}
    it.call("modify_db_instance", ApplyImmediately=True, **names)


def _change(it: Item) -> None:
    changes = {key: it[name] for name, key in CHANGED.items()}
    it.call("modify_db_instance", DBInstanceIdentifier=it["identifier"], ApplyImmediately=True, **changes)


def _delete(it: Item) -> None:
    if (found := _instance(it)) is not None:
        skip = bool(it["skipFinalSnapshot"])
        it.call("delete_db_instance", DBInstanceIdentifier=found["DBInstanceIdentifier"], SkipFinalSnapshot=skip)


TYPES = {
    "aws:rds/instance:Instance": ResourceType(
        service="rds",
        create=_create,
        read=_read,
        delete=_delete,
        fixed="engine username manageMasterUserPassword",
        updates=(
            Update(inputs="identifier", apply=_rename),
            Update(inputs=" ".join(CHANGED), apply=_change),
        ),
        local="skipFinalSnapshot",
        defaults={"skipFinalSnapshot": False, "publiclyAccessible": False},
        autoname=Autoname(input="identifier", longest=63, lower=True),
        tagging=Tagging(
            read=lambda it: keyed((_instance(it) or {}).get("TagList") or []),
            add=lambda it, tags: it.call("add_tags_to_resource", ResourceName=it["arn"], Tags=listed(tags)),
            remove=lambda it, tags: it.call("remove_tags_from_resource", ResourceName=it["arn"], TagKeys=sorted(tags)),
        ),
        gone=frozenset({"DBInstanceNotFound"}),
    ),
}
