"""Gateways between networks and the internet."""

from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.resource import ResourceType, Update
from tests.testbed.aws.provider.tables.forms import ec2_tagging
from tests.testbed.aws.provider.values import Values


def _create(it: Item) -> str:
    return str(it.call("create_internet_gateway")["InternetGateway"]["InternetGatewayId"])


def _gateway(it: Item) -> Any:
    return it.call("describe_internet_gateways", InternetGatewayIds=[it.id])["InternetGateways"][0]


def _read(it: Item) -> Values:
    gateway = _gateway(it)
    return {
        "vpcId": next((item["VpcId"] for item in gateway["Attachments"]), None),
        "ownerId": gateway.get("OwnerId", it.account),
        "arn": it.arn("ec2", f"internet-gateway/{it.id}"),
    }


def _attach(it: Item) -> None:
    _detach(it, it.before.get("vpcId"))
    if it["vpcId"]:
        it.call("attach_internet_gateway", InternetGatewayId=it.id, VpcId=it["vpcId"])


def _detach(it: Item, vpc: str | None) -> None:
    if vpc:
        it.call("detach_internet_gateway", InternetGatewayId=it.id, VpcId=vpc)


def _delete(it: Item) -> None:
    _detach(it, _read(it)["vpcId"])
    it.call("delete_internet_gateway", InternetGatewayId=it.id)


TYPES = {
    "aws:ec2/internetGateway:InternetGateway": ResourceType(
        service="ec2",
        create=_create,
        read=_read,
        delete=_delete,
        updates=(Update(inputs="vpcId", apply=_attach, on_create=True),),
        computed="vpcId",
        tagging=ec2_tagging(_gateway),
        gone=frozenset({"InvalidInternetGatewayID.NotFound"}),
    ),
}
