"""What functions answer."""

from tests.aws_provider.test_types import there
from tests.testbed.aws.provider.functions import FUNCTIONS
from tests.testbed.pulumi_aws import Direct


def token(name: str) -> str:
    return next(known for known in FUNCTIONS if known.endswith(f":{name}"))


def test_it_tells_who_and_where_it_is(direct: Direct) -> None:
    assert direct.invoke(token("getCallerIdentity"))["accountId"] == "123456789012"
    assert direct.invoke(token("getRegion"))["region"] == "eu-west-1"
    assert direct.invoke(token("getRegion"), region="eu-central-1")["region"] == "eu-central-1"
    assert direct.invoke(token("getPartition"))["partition"] == "aws"
    assert direct.invoke(token("getAvailabilityZones"))["names"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


def test_it_finds_networks(direct: Direct) -> None:
    with there(direct, "vpc", "subnet") as made:
        vpc = direct.invoke(token("getVpc"), id=made["vpc"][0])
        assert (vpc["cidrBlock"], vpc["default"], vpc["tags"]) == ("10.9.0.0/16", False, {"a": "1"})
        filters = [{"name": "vpc-id", "values": [vpc["id"]]}]
        assert direct.invoke(token("getSubnets"), filters=filters)["ids"] == [made["subnet"][0]]
    s3 = direct.invoke(token("getManagedPrefixList"), name="com.amazonaws.eu-west-1.s3")
    assert s3["id"].startswith("pl-")
    assert direct.invoke(token("getPrefixList"), name="com.amazonaws.eu-west-1.s3")["id"] == s3["id"]


def test_it_finds_clusters(direct: Direct) -> None:
    with there(direct, "cluster") as made:
        _, inputs, outputs = made["cluster"]
        cluster = direct.invoke(token("getCluster"), clusterName=inputs["name"])
        assert (cluster["arn"], cluster["status"], cluster["tags"]) == (outputs["arn"], "ACTIVE", {"a": "1", "b": "2"})
