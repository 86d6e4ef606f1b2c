"""The edits of stacks' files that previews are recorded of, and the rules that each must be found by."""

import json
from dataclasses import dataclass

from tests.stacks.review.recording.places import DOCUMENT, IMAGE

ANYONE = "0.0.0.0/0"
MANY_GIB = "16384"
LITERALLY = "="
"""In front of a value that is text, whatever it looks like."""
SHOWN = (("preview",), ("preview", "--diff"))
EVERYTHING = (
    ("egress[0].cidr", ANYONE),
    ("max_workers", "40"),
    ("image", IMAGE),
    ("task_role_statements[0].actions[0]", "s3:*"),
    ("task_role_statements[0].resources[0]", "*"),
    ("log_retention_days", "3"),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One preview."""

    name: str
    """Of its file, and of the case in tests."""
    place: str
    edits: tuple[tuple[str, str], ...] = ()
    """Paths of the stack's file and their values; the value - takes a key away."""
    command: tuple[str, ...] = ("preview", "--json")
    streamed: bool = False
    """Whether it is one of events."""
    first: bool = False
    """Whether it is of a stack that does not exist yet."""

    @property
    def file(self) -> str:
        """Name of its file; what Pulumi itself shows to people is text."""
        return f"{self.name}.{'txt' if self.command in SHOWN else 'json'}"


def _edit(place: str, name: str, *edits: tuple[str, str]) -> Case:
    return Case(name=f"{place}-{name}", place=place, edits=edits)


def _resource(place: str, name: str, *edits: tuple[str, str]) -> Case:
    return _edit(place, name, *((f"resources.{path}", value) for path, value in edits))


def _whole(place: str) -> tuple[Case, ...]:
    return (
        Case(name=f"{place}-create", place=place, first=True),
        Case(name=f"{place}-same", place=place),
        Case(name=f"{place}-destroy", place=place, command=("destroy", "--preview-only", "--json")),
    )


CASES = (
    *_whole("dask-prod"),
    Case(name="dask-prod-create-summary", place="dask-prod", first=True, command=("preview", "--output", "json")),
    Case(name="dask-prod-max-workers-events", place="dask-prod", edits=(("max_workers", "40"),), streamed=True),
    _edit("dask-prod", "max-workers", ("max_workers", "40")),
    _edit("dask-prod", "wrong", ("kind", "nonsense")),
    _edit("dask-prod", "digest-dropped", ("image", IMAGE)),
    _edit("dask-prod", "egress", ("egress[0].cidr", ANYONE)),
    _edit("dask-prod", "egress-wider", ("egress[0].cidr", "10.0.0.0/8")),
    _edit(
        "dask-prod",
        "statements",
        ("task_role_statements[0].actions[0]", "*"),
        ("task_role_statements[0].resources[0]", "*"),
    ),
    _edit(
        "dask-prod",
        "pass-role",
        ("task_role_statements[0].actions[0]", "iam:PassRole"),
        ("task_role_statements[0].resources[0]", "arn:aws:iam::123456789012:role/*"),
    ),
    _edit("dask-prod", "retention", ("log_retention_days", "3"), ("input_retention_days", "7")),
    _edit(
        "dask-prod",
        "workers-size",
        ("worker_resources.memory_mib", MANY_GIB),
        ("worker_resources.cpu_millicores", "4000"),
    ),
    _edit("dask-prod", "timeouts", ("timeouts.run_seconds", "600")),
    _edit("dask-prod", "bucket", ("bucket_name", "another-bucket")),
    _edit("dask-prod", "network", ("network_cidr", "127.50.0.0/24")),
    _edit("dask-prod", "tags", ("tags.cost-center", "blue")),
    _edit("dask-prod", "document", ("routing_labels[2]", "gpu"), ("env.LEVEL", "DEBUG")),
    _edit("dask-prod", "renamed", ("environment_name", "dask-new")),
    _edit("dask-prod", "execute-command", ("enable_execute_command", "true")),
    _edit(
        "dask-prod",
        "secret",
        ("secrets[0].env", "TOKEN"),
        ("secrets[0].arn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:api-AbCdEf"),
    ),
    _edit("dask-prod", "everything", *EVERYTHING),
    *(
        Case(
            name=f"dask-prod-everything-{command[-1].strip('-')}", place="dask-prod", edits=EVERYTHING, command=command
        )
        for command in SHOWN
    ),
    *_whole("flights"),
    _edit("flights", "image", ("image", "penstock.local/flights:latest")),
    _edit("flights", "public-address", ("assign_public_ip", "true")),
    _edit("flights", "cluster", ("cluster_arn", "arn:aws:ecs:eu-west-1:123456789012:cluster/shared")),
    _edit("flights", "role", ("task_role_arn", "arn:aws:iam::123456789012:role/somebodys")),
    _edit("flights", "managed-policy", ("task_role_policy_arns[0]", "arn:aws:iam::aws:policy/AmazonS3FullAccess")),
    *_whole("beside-aws"),
    _resource("beside-aws", "trust", ("reader.properties.assumeRolePolicy.Statement[0].Principal", '{"AWS":"*"}')),
    _resource(
        "beside-aws",
        "policy-widened",
        ("read.properties.policy.Statement[0].Action[1]", "s3:PutObject"),
        ("read.properties.policy.Statement[0].Resource[0]", "*"),
    ),
    _resource(
        "beside-aws",
        "policy-not-known",
        ("newer.type", "aws:secretsmanager/secret:Secret"),
        ("newer.properties", '{"name":"newer-keys"}'),
        ("read.after", "newer"),
        ("read.properties.policy.Statement[0].Resource[1]", "$id"),
    ),
    *(
        _resource("beside-aws", name, (f"reader.properties.assumeRolePolicy.Statement[0].Principal.{kind}", principal))
        for name, kind, principal in (
            ("trust-service", "Service", "lambda.amazonaws.com"),
            ("trust-account", "AWS", "arn:aws:iam::999999999999:root"),
            ("trust-login", "Federated", "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"),
        )
    ),
    _resource("beside-aws", "ingress", ("group.properties.ingress[0].cidrBlocks[0]", ANYONE)),
    _resource("beside-aws", "ingress-wider", ("group.properties.ingress[0].cidrBlocks[0]", "10.0.0.0/8")),
    _resource("beside-aws", "public-bucket", ("block.properties.blockPublicPolicy", "false")),
    _resource(
        "beside-aws",
        "bucket-policy",
        ("everyone.type", "aws:s3/bucketPolicy:BucketPolicy"),
        (
            "everyone.properties",
            json.dumps(
                {
                    "bucket": "lake-of-prod",
                    "policy": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": "*",
                                "Action": "s3:GetObject",
                                "Resource": "arn:aws:s3:::lake-of-prod/*",
                            }
                        ],
                    },
                }
            ),
        ),
    ),
    _resource("beside-aws", "left-behind", ("kept", "-")),
    _resource("beside-aws", "provider-version", ("elsewhere.version", "=8.0.0")),
    _resource("beside-aws", "provider-region", ("elsewhere.properties.region", "us-east-1")),
    _resource("beside-aws", "provider-tags", ("elsewhere.properties.defaultTags.tags.team", "science")),
    Case(
        name="beside-aws-provider-plugin",
        place="beside-aws",
        edits=(("resources.elsewhere.plugin_download_url", "https://plugins.example"),),
        streamed=True,
    ),
    _resource("beside-aws", "container-root", ("task.properties.containerDefinitions[0].user", "root")),
    _resource(
        "beside-aws",
        "container-capability",
        ("task.properties.containerDefinitions[0].linuxParameters.capabilities.add[0]", "SYS_PTRACE"),
    ),
    _resource(
        "beside-aws",
        "container-volumes",
        ("task.properties.volumes[0].name", "host"),
        ("task.properties.volumes[0].hostPath", "/"),
    ),
    _resource(
        "beside-aws",
        "gateway",
        ("gateway.type", "aws:ec2/internetGateway:InternetGateway"),
        ("gateway.properties", '{"vpcId":"vpc-0123456789abcdef0"}'),
    ),
    _resource(
        "beside-aws",
        "public-database",
        ("runs.type", "aws:rds/instance:Instance"),
        (
            "runs.properties",
            json.dumps(
                {
                    "identifier": "runs",
                    "engine": "postgres",
                    "username": "flows",
                    "instanceClass": "db.t4g.micro",
                    "allocatedStorage": 20,
                    "manageMasterUserPassword": "true",
                    "publiclyAccessible": "true",
                }
            ),
        ),
    ),
    _resource(
        "beside-aws",
        "public-subnet",
        ("subnet.type", "aws:ec2/subnet:Subnet"),
        (
            "subnet.properties",
            '{"vpcId":"vpc-0123456789abcdef0","cidrBlock":"10.20.1.0/24","mapPublicIpOnLaunch":"true"}',
        ),
    ),
    # Events alone tell of a resource of which nothing but the protection changes.
    Case(
        name="beside-aws-unprotected", place="beside-aws", edits=(("resources.lake.protect", "false"),), streamed=True
    ),
    _resource("beside-aws", "protected-gone", ("lake", "-")),
    _resource("beside-aws", "bucket-gone", ("scratch", "-")),
    _resource("beside-aws", "secret-gone", ("keys", "-")),
    _resource("beside-aws", "logs-replaced", ("logs.properties.name", "/production")),
    _resource(
        "beside-aws",
        "containers",
        ("task.properties.containerDefinitions[0].environment[0].value", "DEBUG"),
        ("task.properties.containerDefinitions[0].readonlyRootFilesystem", "false"),
    ),
    *_whole("jobs-prod"),
    _edit("jobs-prod", "pod-security", ("pod_security", "privileged")),
    _edit("jobs-prod", "egress", ("egress_anywhere", "true")),
    _edit("jobs-prod", "network-policies", ("network_policies", "false")),
    _edit("jobs-prod", "submitters", ("submitters[0].kind", "Group"), ("submitters[0].name", "system:authenticated")),
    _edit("jobs-prod", "previewers", ("previewers[0].kind", "User"), ("previewers[0].name", "ci")),
    _edit("jobs-prod", "quota", ("quota.cpu_millicores", "64000"), ("quota.memory_mib", "131072")),
    _edit("jobs-prod", "quota-gone", ("quota", "-")),
    _edit("jobs-prod", "limits", ("container_limits.max.memory_mib", "4096")),
    _edit("jobs-prod", "account", ("service_account_name", "default")),
    _edit("jobs-prod", "namespace", ("namespace", "jobs-new")),
    _edit("jobs-prod", "template", ("job_spec", "job.yaml")),
    _edit(
        "jobs-prod", "secret", ("secrets[0].env", "TOKEN"), ("secrets[0].secret", "api"), ("secrets[0].key", "token")
    ),
    _edit("jobs-prod", "labels", ("labels.cost-center", "blue")),
    _edit("jobs-prod", "image", ("image", "penstock.local/flights:2")),
    _edit("jobs-prod", "registry", ("image", "registry.example/flights:1")),
    _edit("jobs-prod", "renamed", ("environment_name", "jobs-new")),
    _edit("jobs-prod", "retention", ("retention.failed_seconds", "60")),
    *_whole("dask-jobs"),
    _edit("dask-jobs", "digest-dropped", ("image", IMAGE)),
    _edit("dask-jobs", "max-workers", ("max_workers", "40"), ("concurrent_runs", "4")),
    _edit("dask-jobs", "egress", ("egress[0].cidr", "10.0.0.0/8")),
    *_whole("beside-kubernetes"),
    _resource("beside-kubernetes", "load-balancer", ("web.properties.spec.type", "LoadBalancer")),
    _resource("beside-kubernetes", "node-port", ("web.properties.spec.type", "NodePort")),
    _resource("beside-kubernetes", "policy-gone", ("deny", "-")),
    _resource(
        "beside-kubernetes",
        "rights",
        ("reader.properties.rules[0].resources[1]", "secrets"),
        ("reader.properties.rules[0].verbs[0]", "*"),
    ),
    _resource(
        "beside-kubernetes",
        "cluster-admin",
        ("admin.type", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"),
        (
            "admin.properties",
            json.dumps(
                {
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "ClusterRoleBinding",
                    "metadata": {"name": "beside-admin"},
                    "roleRef": {
                        "apiGroup": "rbac.authorization.k8s.io",
                        "kind": "ClusterRole",
                        "name": "cluster-admin",
                    },
                    "subjects": [{"kind": "ServiceAccount", "name": "account", "namespace": "beside-prod"}],
                }
            ),
        ),
    ),
    _resource("beside-kubernetes", "token", ("account.properties.automountServiceAccountToken", "true")),
    _resource(
        "beside-kubernetes",
        "privileged",
        ("app.properties.spec.template.spec.hostNetwork", "true"),
        ("app.properties.spec.template.spec.containers[0].securityContext.privileged", "true"),
    ),
    _resource(
        "beside-kubernetes", "variable", ("app.properties.spec.template.spec.containers[0].env[0].value", "DEBUG")
    ),
    _resource("beside-kubernetes", "external-address", ("web.properties.spec.externalIPs[0]", "203.0.113.7")),
    _resource(
        "beside-kubernetes",
        "route",
        ("door.type", "kubernetes:networking.k8s.io/v1:Ingress"),
        (
            "door.properties",
            json.dumps(
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "Ingress",
                    "metadata": {"name": "door", "namespace": "beside-prod"},
                    "spec": {
                        "rules": [
                            {
                                "host": "flows.example",
                                "http": {
                                    "paths": [
                                        {
                                            "path": "/",
                                            "pathType": "Prefix",
                                            "backend": {"service": {"name": "web", "port": {"name": "http"}}},
                                        }
                                    ]
                                },
                            }
                        ]
                    },
                }
            ),
        ),
    ),
    _resource("beside-kubernetes", "ingress", ("deny.properties.spec.ingress[0].from[0].ipBlock.cidr", ANYONE)),
    _resource(
        "beside-kubernetes",
        "guard",
        ("app.properties.spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem", "false"),
    ),
    _resource(
        "beside-kubernetes",
        "role",
        ("readers.properties.roleRef.kind", "ClusterRole"),
        ("readers.properties.roleRef.name", "admin"),
    ),
    *(
        _resource(
            "beside-kubernetes",
            f"document-{name}",
            ('document.properties.data["environment.json"]', f"{LITERALLY}{json.dumps({**DOCUMENT, **changed})}"),
        )
        for name, changed in (
            ("version", {"schema_version": 2}),
            ("refused", {"executor": {"type": "threads"}}),
            ("keys", {"regions": ["eu"]}),
            ("producer", {"producer": {"version": "0.2.0", "project": "penstock", "stack": "laptop"}}),
        )
    ),
    _resource("beside-kubernetes", "namespace-gone", ("place", "-")),
)
