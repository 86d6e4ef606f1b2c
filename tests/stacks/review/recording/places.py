"""Stacks that previews are recorded of, and what is in their files before the edits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

IMAGE = "penstock.local/flights:1"
DIGEST = "penstock.local/flights@sha256:" + "4f" * 32
AWS, KUBERNETES = "aws", "kubernetes"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A stack."""

    name: str
    platform: str
    """Of AWS or KUBERNETES."""
    example: str = ""
    """Kind of the example that its file starts as; empty for the program beside Penstock's."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What is set in it, by path."""
    resources: Mapping[str, Any] = field(default_factory=dict)
    """What the program beside Penstock's creates."""


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::lake/raw/*"]}],
}
BESIDE_AWS = {
    "lake": {"type": "aws:s3/bucket:Bucket", "properties": {"bucket": "lake-of-prod"}, "protect": True},
    "scratch": {"type": "aws:s3/bucket:Bucket", "properties": {"bucket": "scratch-of-prod", "forceDestroy": True}},
    "block": {
        "type": "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "properties": {"bucket": "lake-of-prod", "blockPublicAcls": True, "blockPublicPolicy": True},
        "after": "lake",
    },
    "group": {
        "type": "aws:ec2/securityGroup:SecurityGroup",
        "properties": {
            "name": "scheduler",
            "description": "scheduler",
            "ingress": [{"cidrBlocks": ["10.20.0.0/16"], "protocol": "tcp", "fromPort": 8786, "toPort": 8787}],
        },
    },
    "kept": {
        "type": "aws:cloudwatch/logGroup:LogGroup",
        "properties": {"name": "/kept", "retentionInDays": 90},
        "retain_on_delete": True,
    },
    "elsewhere": {
        "type": "pulumi:providers:aws",
        "properties": {"region": "eu-west-1", "defaultTags": {"tags": {"team": "data"}}},
        "version": "7.51.1",
    },
    "network": {"type": "aws:ec2/vpc:Vpc", "properties": {"cidrBlock": "10.20.0.0/16"}},
    "reader": {"type": "aws:iam/role:Role", "properties": {"name": "reader", "assumeRolePolicy": TRUST}},
    "read": {"type": "aws:iam/policy:Policy", "properties": {"name": "read", "policy": READ}},
    "keys": {"type": "aws:secretsmanager/secret:Secret", "properties": {"name": "keys"}},
    "logs": {"type": "aws:cloudwatch/logGroup:LogGroup", "properties": {"name": "/prod", "retentionInDays": 90}},
    "task": {
        "type": "aws:ecs/taskDefinition:TaskDefinition",
        "properties": {
            "family": "service",
            "containerDefinitions": [
                {
                    "name": "app",
                    "image": IMAGE,
                    "essential": True,
                    "readonlyRootFilesystem": True,
                    "environment": [{"name": "LEVEL", "value": "INFO"}, {"name": "REGION", "value": "eu"}],
                }
            ],
            "cpu": "256",
            "memory": "512",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
        },
    },
}
LABELS = {"pod-security.kubernetes.io/enforce": "restricted"}
POD = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "app",
            "image": DIGEST,
            "env": [{"name": "LEVEL", "value": "INFO"}],
            "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "10m", "memory": "64Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            },
        }
    ],
}


DOCUMENT = {
    "schema_version": 1,
    "kind": "local",
    "name": "laptop",
    "executor": {"type": "inline"},
    "local": {},
    "producer": {"version": "0.1.0", "project": "penstock", "stack": "laptop"},
}


def _in(namespace: str, name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, **more}


BESIDE = "beside-prod"
BESIDE_KUBERNETES = {
    "place": {
        "type": "kubernetes:core/v1:Namespace",
        "properties": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": BESIDE, "labels": LABELS}},
    },
    "web": {
        "type": "kubernetes:core/v1:Service",
        "properties": {
            "apiVersion": "v1",
            "kind": "Service",
            **_in(BESIDE, "web", spec={"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80}]}),
        },
    },
    "deny": {
        "type": "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "properties": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            **_in(BESIDE, "deny", spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
        },
    },
    "reader": {
        "type": "kubernetes:rbac.authorization.k8s.io/v1:Role",
        "properties": {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            **_in(BESIDE, "reader", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]),
        },
    },
    "readers": {
        "type": "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        "properties": {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            **_in(
                BESIDE,
                "readers",
                roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
                subjects=[{"kind": "ServiceAccount", "name": "account", "namespace": BESIDE}],
            ),
        },
    },
    "document": {
        "type": "kubernetes:core/v1:ConfigMap",
        "properties": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            **_in(BESIDE, "document", data={"environment.json": json.dumps(DOCUMENT)}),
        },
    },
    "account": {
        "type": "kubernetes:core/v1:ServiceAccount",
        "properties": {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            **_in(BESIDE, "account", automountServiceAccountToken=False),
        },
    },
    "app": {
        "type": "kubernetes:apps/v1:Deployment",
        "properties": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "app", "namespace": BESIDE, "annotations": {"pulumi.com/skipAwait": "true"}},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD},
            },
        },
    },
}
PLACES = {
    place.name: place
    for place in (
        Place(
            name="dask-prod",
            platform=AWS,
            example="dask-cloud-provider",
            settings={"image": DIGEST, "network_cidr": "127.40.0.0/24", "log_retention_days": "90"},
        ),
        Place(
            name="flights",
            platform=AWS,
            example="fargate-task",
            settings={"image": IMAGE, "network_cidr": "127.41.0.0/24"},
        ),
        Place(name="beside-aws", platform=AWS, resources=BESIDE_AWS),
        Place(
            name="jobs-prod",
            platform=KUBERNETES,
            example="kubernetes-job",
            settings={"image": IMAGE, "namespace": "jobs-prod", "container_limits.max.memory_mib": "2048"},
        ),
        Place(
            name="dask-jobs",
            platform=KUBERNETES,
            example="dask-kubernetes",
            settings={"image": DIGEST, "namespace": "dask-jobs"},
        ),
        Place(name="beside-kubernetes", platform=KUBERNETES, resources=BESIDE_KUBERNETES),
    )
}
