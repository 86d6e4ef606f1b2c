"""Who asks, whether the request is really theirs, what it needs, and whether that is allowed."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.aws.conftest import Bed, policy
from tests.testbed.aws.permissions import Need, allowed, refused, unused

pytestmark = pytest.mark.aws

ACCOUNT = "123456789012"


def client(bed: Bed, service: str, env: dict[str, str]) -> Any:
    return boto3.client(
        service,
        endpoint_url=bed.aws.endpoint,
        region_name=bed.aws.region,
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


def submitter(bed: Bed, **conditions: Any) -> dict[str, Any]:
    """What starting a tagged task of the bed needs."""
    family = f"arn:aws:ecs:{bed.aws.region}:{ACCOUNT}:task-definition/{bed.name}:*"
    return policy(
        {
            "Sid": "Run",
            "Action": "ecs:RunTask",
            "Resource": family,
            "Condition": {"ArnEquals": {"ecs:cluster": bed.cluster}},
        },
        {
            "Sid": "Tag",
            "Action": "ecs:TagResource",
            "Resource": f"arn:aws:ecs:{bed.aws.region}:{ACCOUNT}:task/{bed.name}/*",
            "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        },
        {
            "Sid": "Pass",
            "Action": "iam:PassRole",
            "Resource": [bed.role("task"), bed.role("execution")],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {"Sid": "Unused", "Action": ["ecs:StopTask", "logs:Get*"], "Resource": "*"},
    )


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_starting_a_task_needs_the_task_its_tags_and_its_roles(bed: Bed) -> None:
    granted = submitter(bed)
    definition = bed.register(bed.container("print(1)"))
    env = bed.aws.user(f"{bed.name}-a", granted)

    assert len(bed.ask(definition, ecs=client(bed, "ecs", env), tags=[{"key": "a", "value": "b"}])["tasks"]) == 1

    needed = bed.aws.needed(f"user/{bed.name}-a")
    assert {(need.action, need.resource) for need in needed} == {
        ("ecs:RunTask", definition),
        ("ecs:TagResource", f"arn:aws:ecs:{bed.aws.region}:{ACCOUNT}:task/{bed.name}/*"),
        ("iam:PassRole", bed.role("task")),
        ("iam:PassRole", bed.role("execution")),
    }
    assert refused([granted], needed) == []
    assert unused([granted], needed) == ["Unused: ecs:StopTask", "Unused: logs:Get*"]


@pytest.mark.parametrize(("left_out", "action"), [(0, "ecs:RunTask"), (1, "ecs:TagResource"), (2, "iam:PassRole")])
def test_each_part_that_is_not_allowed_is_refused_in_words(bed: Bed, left_out: int, action: str) -> None:
    granted = submitter(bed)
    del granted["Statement"][left_out]
    env = bed.aws.user(f"{bed.name}-b", granted)
    definition = bed.register(bed.container("print(1)"))

    with pytest.raises(ClientError) as caught:
        bed.ask(definition, ecs=client(bed, "ecs", env), tags=[{"key": "a", "value": "b"}])

    assert code(caught) == "AccessDeniedException"
    said = caught.value.response["Error"]["Message"]
    assert said.startswith(f"User: arn:aws:iam::{ACCOUNT}:user/{bed.name}-b is not authorized to perform: {action} on ")
    assert action in {need.action for need in refused([granted], bed.aws.needed(f"user/{bed.name}-b"))}
    assert bed.ecs.list_tasks(cluster=bed.cluster)["taskArns"] == []


def test_another_cluster_is_refused_by_the_condition(bed: Bed) -> None:
    env = bed.aws.user(f"{bed.name}-c", submitter(bed))
    definition = bed.register(bed.container("print(1)"))
    bed.ecs.create_cluster(clusterName=f"{bed.name}-2")

    with pytest.raises(ClientError) as caught:
        bed.ask(definition, ecs=client(bed, "ecs", env), cluster=f"{bed.name}-2")

    assert code(caught) == "AccessDeniedException"
    bed.ecs.delete_cluster(cluster=f"{bed.name}-2")


@pytest.fixture
def bucket(bed: Bed) -> Iterator[str]:
    s3 = bed.aws.client("s3")
    s3.create_bucket(Bucket=bed.name, CreateBucketConfiguration={"LocationConstraint": bed.aws.region})
    s3.put_object(Bucket=bed.name, Key="bundles/a b+c.zip", Body=b"code")
    yield bed.name
    for item in s3.list_objects_v2(Bucket=bed.name).get("Contents", []):
        s3.delete_object(Bucket=bed.name, Key=item["Key"])
    s3.delete_bucket(Bucket=bed.name)


def test_objects_and_lists_of_s3_are_told_and_judged(bed: Bed, bucket: str) -> None:
    granted = policy(
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/bundles/*"},
        {
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::{bucket}",
            "Condition": {"StringLike": {"s3:prefix": "bundles/*"}},
        },
    )
    s3 = client(bed, "s3", bed.aws.user(f"{bed.name}-d", granted))

    assert s3.get_object(Bucket=bucket, Key="bundles/a b+c.zip")["Body"].read() == b"code"
    assert s3.head_object(Bucket=bucket, Key="bundles/a b+c.zip")["ContentLength"] == 4
    s3.put_object(Bucket=bucket, Key="bundles/new", Body=b"x")
    assert len(s3.list_objects_v2(Bucket=bucket, Prefix="bundles/")["Contents"]) == 2
    for ask, options in (
        (s3.list_objects_v2, {}),
        (s3.get_object, {"Key": "inputs/a"}),
        (s3.delete_object, {"Key": "bundles/new"}),
    ):
        with pytest.raises(ClientError) as caught:
            ask(Bucket=bucket, **options)
        assert code(caught) == "AccessDenied"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    told = [(need.action, need.resource.rpartition(":")[2]) for need in bed.aws.needed(f"user/{bed.name}-d")]
    assert told == [
        ("s3:GetObject", f"{bucket}/bundles/a b+c.zip"),
        ("s3:GetObject", f"{bucket}/bundles/a b+c.zip"),
        ("s3:PutObject", f"{bucket}/bundles/new"),
        *[("s3:ListBucket", bucket)] * 2,
        ("s3:GetObject", f"{bucket}/inputs/a"),
        ("s3:DeleteObject", f"{bucket}/bundles/new"),
    ]


FETCHES = """
import json, os, urllib.request
import botocore.session
s3 = botocore.session.get_session().create_client("s3")
for key in ("bundles/a b+c.zip", "other"):
    try:
        print(s3.get_object(Bucket=os.environ["BUCKET"], Key=key)["Body"].read().decode())
    except Exception as error:
        print(error.response["Error"]["Code"])
"""


def test_a_task_asks_as_its_role_and_may_what_the_role_may(bed: Bed, bucket: str) -> None:
    granted = policy({"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/bundles/*"})
    bed.aws.client("iam").put_role_policy(
        RoleName=f"{bed.name}-task", PolicyName="run", PolicyDocument=json.dumps(granted)
    )
    arn = bed.run(FETCHES, environment=[{"name": "BUCKET", "value": bucket}])
    bed.until(arn)

    assert bed.lines(arn) == ["code", "AccessDenied"]
    (principal,) = {call["principal"] for call in bed.aws.calls() if f"{bed.name}-task" in call["principal"]}
    assert principal == f"arn:aws:sts::{ACCOUNT}:assumed-role/{bed.name}-task/{arn.rpartition('/')[2]}"


def test_logs_and_parameters_are_judged_by_what_they_name(bed: Bed) -> None:
    group = f"arn:aws:logs:{bed.aws.region}:{ACCOUNT}:log-group:{bed.log_group}"
    arn = bed.run("print('line')")
    bed.until(arn)
    env = bed.aws.user(
        f"{bed.name}-e",
        policy({"Action": ["logs:GetLogEvents"], "Resource": f"{group}:log-stream:bed/flow/*"}),
        policy({"Action": "ssm:GetParameter", "Resource": f"arn:aws:ssm:{bed.aws.region}:{ACCOUNT}:parameter/a/b"}),
    )
    logs, ssm = client(bed, "logs", env), client(bed, "ssm", env)
    stream = f"bed/flow/{arn.rpartition('/')[2]}"

    assert len(logs.get_log_events(logGroupName=bed.log_group, logStreamName=stream)["events"]) == 1
    with pytest.raises(ClientError, match="logs:FilterLogEvents"):
        logs.filter_log_events(logGroupName=bed.log_group)
    with pytest.raises(ClientError, match="parameter/a/c"):
        ssm.get_parameter(Name="/a/c")
    with pytest.raises(ClientError) as caught:
        ssm.get_parameter(Name="/a/b")
    assert code(caught) == "ParameterNotFound"


def test_a_wrong_signature_and_a_key_that_nobody_has_are_noticed(bed: Bed) -> None:
    env = bed.aws.user(f"{bed.name}-f", policy({"Action": "*", "Resource": "*"}))

    for service, ask, expected in (
        ("ecs", "list_clusters", "InvalidSignatureException"),
        ("s3", "list_buckets", "SignatureDoesNotMatch"),
    ):
        getattr(client(bed, service, env), ask)()
        with pytest.raises(ClientError) as caught:
            getattr(client(bed, service, {**env, "AWS_SECRET_ACCESS_KEY": "wrong"}), ask)()
        assert code(caught) == expected
    with pytest.raises(ClientError) as caught:
        client(bed, "ecs", {**env, "AWS_ACCESS_KEY_ID": "AKIANOBODYNOBODYNOBO"}).list_clusters()
    assert code(caught) == "UnrecognizedClientException"


def signed(bed: Bed, body: bytes, sent: bytes, *, seconds: float = 0.0) -> tuple[int, str]:
    """Status and code of an answer to a request signed for one body, at another time, and sent with another one."""
    env = bed.aws.env
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
    }
    request = AWSRequest("POST", f"{bed.aws.endpoint}/", headers=headers, data=body)
    auth = SigV4Auth(Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]), "ecs", bed.aws.region)
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + seconds))
    request.context["timestamp"] = request.headers["X-Amz-Date"] = at
    auth._inject_signature_to_request(
        request, auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    )
    with closing(http.client.HTTPConnection(urlsplit(bed.aws.endpoint).netloc, timeout=10)) as connection:
        connection.request("POST", "/", sent, dict(request.headers.items()))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("__type", "")


def test_another_body_than_the_signed_one_and_another_time_are_noticed(bed: Bed) -> None:
    assert signed(bed, b"{}", b"{}") == (200, "")
    assert signed(bed, b"{}", b"{ }") == (403, "InvalidSignatureException")
    assert signed(bed, b"{}", b"{}", seconds=-600) == (403, "InvalidSignatureException")
    assert signed(bed, b"{}", b"{}", seconds=600) == (403, "InvalidSignatureException")
    with closing(http.client.HTTPConnection(urlsplit(bed.aws.endpoint).netloc, timeout=10)) as connection:
        connection.request("POST", "/", b"{}")
        assert connection.getresponse().status == 403


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Effect": "Allow", "Action": "ecs:Run*", "Resource": "arn:aws:ecs:*:*:x/?"}, True),
        ({"Effect": "Allow", "Action": ["ecs:runtask"], "Resource": "*"}, True),
        ({"Effect": "Allow", "Action": "ecs:StopTask", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:ecs:*:*:y/*"}, False),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, False),
        (
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:a": ["1", "2"]}}},
            True,
        ),
        ({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:A": "2*"}}}, False),
        ({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:b": "1"}}}, False),
        (
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:b": "1"}}},
            True,
        ),
    ],
)
def test_statements_are_weighed(statement: dict[str, Any], expected: bool) -> None:
    need = Need(action="ecs:RunTask", resource="arn:aws:ecs:eu-west-1:1:x/1", conditions={"aws:a": "1"})

    assert allowed([{"Statement": statement}], need) is expected
    denied = {"Statement": [statement, {"Effect": "Deny", "Action": "ecs:*", "Resource": "*"}]}
    assert not allowed([denied], need)


def test_a_condition_that_is_not_known_is_an_error_and_no_answer() -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:a": "10.0.0.0/8"}}}

    with pytest.raises(ValueError, match="IpAddress is not known here"):
        allowed([{"Statement": [statement]}], Need(action="a:b", resource="*", conditions={"aws:a": "1"}))
