"""Edits of stacks in Kubernetes: of our examples, and of what can be beside them."""

import json

from tests.stacks.review.recording.case import LITERALLY, edit, resource, whole
from tests.stacks.review.recording.places import DOCUMENT, IMAGE

ANYONE = "0.0.0.0/0"
GATEWAY = "gateway.networking.k8s.io/v1"
CASES = (
    *whole("jobs-prod"),
    edit("jobs-prod", "pod-security", ("pod_security", "privileged")),
    edit("jobs-prod", "egress", ("egress_anywhere", "true")),
    edit("jobs-prod", "network-policies", ("network_policies", "false")),
    edit("jobs-prod", "submitters", ("submitters[0].kind", "Group"), ("submitters[0].name", "system:authenticated")),
    edit("jobs-prod", "previewers", ("previewers[0].kind", "User"), ("previewers[0].name", "ci")),
    edit("jobs-prod", "quota", ("quota.cpu_millicores", "64000"), ("quota.memory_mib", "131072")),
    edit("jobs-prod", "quota-gone", ("quota", "-")),
    edit("jobs-prod", "limits", ("container_limits.max.memory_mib", "4096")),
    edit("jobs-prod", "account", ("service_account_name", "default")),
    edit("jobs-prod", "namespace", ("namespace", "jobs-new")),
    edit("jobs-prod", "template", ("job_spec", "job.yaml")),
    edit("jobs-prod", "secret", ("secrets[0].env", "TOKEN"), ("secrets[0].secret", "api"), ("secrets[0].key", "token")),
    edit("jobs-prod", "labels", ("labels.cost-center", "blue")),
    edit("jobs-prod", "image", ("image", "penstock.local/flights:2")),
    edit("jobs-prod", "registry", ("image", "registry.example/flights:1")),
    edit("jobs-prod", "renamed", ("environment_name", "jobs-new")),
    edit("jobs-prod", "retention", ("retention.failed_seconds", "60")),
    *whole("dask-jobs"),
    edit("dask-jobs", "digest-dropped", ("image", IMAGE)),
    edit("dask-jobs", "max-workers", ("max_workers", "40"), ("concurrent_runs", "4")),
    edit("dask-jobs", "egress", ("egress[0].cidr", "10.0.0.0/8")),
    *whole("beside-kubernetes"),
    resource("beside-kubernetes", "load-balancer", ("web.properties.spec.type", "LoadBalancer")),
    resource("beside-kubernetes", "node-port", ("web.properties.spec.type", "NodePort")),
    resource("beside-kubernetes", "policy-gone", ("deny", "-")),
    resource(
        "beside-kubernetes",
        "rights",
        ("reader.properties.rules[0].resources[1]", "secrets"),
        ("reader.properties.rules[0].verbs[0]", "*"),
    ),
    resource(
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
    resource("beside-kubernetes", "token", ("account.properties.automountServiceAccountToken", "true")),
    resource(
        "beside-kubernetes",
        "privileged",
        ("app.properties.spec.template.spec.hostNetwork", "true"),
        ("app.properties.spec.template.spec.containers[0].securityContext.privileged", "true"),
    ),
    resource(
        "beside-kubernetes", "variable", ("app.properties.spec.template.spec.containers[0].env[0].value", "DEBUG")
    ),
    resource("beside-kubernetes", "external-address", ("web.properties.spec.externalIPs[0]", "203.0.113.7")),
    resource(
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
    resource(
        "beside-kubernetes",
        "gateway",
        ("gate.type", f"kubernetes:{GATEWAY}:Gateway"),
        (
            "gate.properties",
            json.dumps(
                {
                    "apiVersion": GATEWAY,
                    "kind": "Gateway",
                    "metadata": {"name": "gate", "namespace": "beside-prod"},
                    "spec": {
                        "gatewayClassName": "public",
                        "listeners": [{"name": "web", "port": 443, "protocol": "HTTPS", "hostname": "flows.example"}],
                    },
                }
            ),
        ),
        ("road.type", f"kubernetes:{GATEWAY}:HTTPRoute"),
        (
            "road.properties",
            json.dumps(
                {
                    "apiVersion": GATEWAY,
                    "kind": "HTTPRoute",
                    "metadata": {"name": "road", "namespace": "beside-prod"},
                    "spec": {
                        "parentRefs": [{"name": "gate"}],
                        "hostnames": ["flows.example"],
                        "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
                    },
                }
            ),
        ),
    ),
    resource("beside-kubernetes", "ingress", ("deny.properties.spec.ingress[0].from[0].ipBlock.cidr", ANYONE)),
    resource(
        "beside-kubernetes",
        "guard",
        ("app.properties.spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem", "false"),
    ),
    resource(
        "beside-kubernetes",
        "role",
        ("readers.properties.roleRef.kind", "ClusterRole"),
        ("readers.properties.roleRef.name", "admin"),
    ),
    *(
        resource(
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
    resource("beside-kubernetes", "namespace-gone", ("place", "-")),
)
