"""Environment of kind `kubernetes-job`: every run is a Job of a Kubernetes cluster.

Creates a namespace (or takes one), service accounts for runs and for those who start and preview them, with roles that
give no more than they need, a NetworkPolicy for runs, the registries' login, and a ConfigMap with the environment
document.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s

from components import job_spec, job_template, network_policy, rbac, registry
from components.arguments import ExecutorOptions, LogOptions, RetentionOptions
from components.document import PACKAGE, Draft
from components.kubernetes_arguments import (
    ContainerLimitOptions,
    EgressOptions,
    FailurePolicyOptions,
    QuotaOptions,
    RegistryCredentialOptions,
    ResourceOptions,
    SecretOptions,
    SubjectOptions,
    TimeoutOptions,
    VolumeOptions,
)
from components.kubernetes_namespace import KubernetesNamespace
from components.labels import environment_labels
from components.namespace import PodSecurity, check_namespace
from components.naming import child_name
from components.project import project_folder
from components.quota import hard_limits, limit_range
from runner.contract import to_bytes
from runner.sections import Kind

RESOURCES: Mapping[str, int] = {"cpu_millicores": 500, "memory_mib": 1024}
"""What a run asks for unless told otherwise: half a core, and memory for a flow with pandas."""

TIMEOUTS: Mapping[str, int] = {"start_seconds": 900}
"""A pull of an image of some GB on a node that has just been started takes minutes, not a quarter of an hour."""

DOCUMENT_KEY = "environment.json"
"""Key of the ConfigMap that holds the document."""

PARTS = ("namespace", "runner", "submitter", "previewer", "run", "registry", "environment")
"""What an environment consists of: the label `app.kubernetes.io/component`, and the end of most names."""

JOB_OPTIONS = (
    *("labels", "queue_name", "failure_policy", "resources", "service_account_name", "image_pull_secrets"),
    *("pod_annotations", "priority_class_name", "node_selector", "tolerations", "affinity", "volumes", "service_mesh"),
)
"""Arguments that the Job of every run is made from, beside `job_spec`."""


class KubernetesJobEnvironmentArgs(TypedDict):
    """Arguments of a KubernetesJobEnvironment; only `image` must be given, unless `job_spec` names one."""

    environment_name: NotRequired[str]
    """Name by which `penstock run --env` finds it: a DNS label in lower case. Default: the component's own name."""
    routing_labels: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Labels by which `penstock run --label` finds it. Default: none."""
    metadata: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Your own notes, without effect. Default: none."""
    image: NotRequired[pulumi.Input[str]]
    """Container image of the flow, with penstock installed; one with a digest is the same forever."""
    resources: NotRequired[pulumi.Input[ResourceOptions]]
    """What a run asks for, and at most gets. Default: 500 millicores without a limit, 1024 MiB and no more."""
    env: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables of every run; plain text, never a secret. Default: none."""
    secrets: NotRequired[pulumi.Input[list[pulumi.Input[SecretOptions]]]]
    """Variables whose values stand in Secrets of the namespace. Default: none."""
    executor: NotRequired[pulumi.Input[ExecutorOptions]]
    """How the work inside a flow runs. Default: in the flow's own process."""
    on_execute: NotRequired[pulumi.Input[str]]
    """Called with the parameters and the cluster's options, to change them. As `module:function`. Default: none."""
    on_start: NotRequired[pulumi.Input[str]]
    """Called without arguments right before the flow. As `module:function`. Default: none."""
    on_exit: NotRequired[pulumi.Input[str]]
    """Called once with the outcome, whatever happened before. As `module:function`. Default: none."""
    timeouts: NotRequired[pulumi.Input[TimeoutOptions]]
    """The clocks of a run. Default: 900 seconds to start, 30 of grace, no other limit."""
    retention: NotRequired[pulumi.Input[RetentionOptions]]
    """How long records of finished runs stay. Default: a week, 30 days when failed."""
    log: NotRequired[pulumi.Input[LogOptions]]
    """What of Python's logging a run shows. Default: INFO."""
    failure_policy: NotRequired[pulumi.Input[FailurePolicyOptions]]
    """Which failures start a run again. Default: that the cluster took its place away, and no other."""
    namespace: NotRequired[str]
    """Namespace of the runs. Default: the environment's name."""
    create_namespace: NotRequired[bool]
    """Whether the namespace is created; false for one that exists already. Default: yes."""
    pod_security: NotRequired[PodSecurity]
    """Pod Security level of a namespace that is created. Default: restricted."""
    quota: NotRequired[pulumi.Input[QuotaOptions]]
    """What all pods of the namespace may ask for together. Default: no limit."""
    container_limits: NotRequired[pulumi.Input[ContainerLimitOptions]]
    """Sizes of the namespace's containers. Default: none."""
    labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Kubernetes labels of everything that is created, of every Job and its pod. Default: Penstock's own only."""
    pod_annotations: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Annotations of every run's pod. Default: none."""
    image_pull_secrets: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Names of Secrets of the namespace with registries' logins; a text with commas is taken apart. Default: none."""
    registry_credentials: NotRequired[pulumi.Input[list[pulumi.Input[RegistryCredentialOptions]]]]
    """Logins for registries, as a secret of Pulumi's: become one Secret, which every run pulls with. Default: none."""
    service_account_name: NotRequired[pulumi.Input[str]]
    """Service account of the runs, one that exists. Default: one without rights is created."""
    submitters: NotRequired[pulumi.Input[list[pulumi.Input[SubjectOptions]]]]
    """Who may start runs, beside the service account that is created for it. Default: nobody."""
    previewers: NotRequired[pulumi.Input[list[pulumi.Input[SubjectOptions]]]]
    """Who may read what `pulumi preview` needs, beside the service account that is created for it. Default: nobody."""
    egress: NotRequired[pulumi.Input[list[pulumi.Input[EgressOptions]]]]
    """What runs may reach beside the cluster's name server. Default: nothing."""
    egress_anywhere: NotRequired[pulumi.Input[bool]]
    """Whether runs may reach everything, cloud metadata and the cluster's own API included. Default: no."""
    network_policies: NotRequired[bool]
    """Whether NetworkPolicies are created; false leaves the network to somebody else. Default: yes."""
    priority_class_name: NotRequired[pulumi.Input[str]]
    """PriorityClass of the runs' pods. Default: the cluster's."""
    node_selector: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of the nodes that runs may be on. Default: any."""
    tolerations: NotRequired[pulumi.Input[list[pulumi.Input[dict[str, Any]]]]]
    """Taints of nodes that runs may ignore, as in a pod's `tolerations`. Default: none."""
    affinity: NotRequired[pulumi.Input[dict[str, Any]]]
    """Rules about nodes and other pods, as a pod's `affinity`. Default: none."""
    volumes: NotRequired[pulumi.Input[list[pulumi.Input[VolumeOptions]]]]
    """Volumes of the flow's container, beside those of its image, such as /tmp. Default: none."""
    job_spec: NotRequired[pulumi.Input[Any]]
    """A Job that all this is filled into where it says nothing: a mapping, or the path of a YAML or JSON file, relative
    to the folder with Pulumi.yaml. The flow's container is the one named `flow`. Default: none."""
    service_mesh: NotRequired[pulumi.Input[bool]]
    """Whether Istio or Linkerd may put a proxy into runs' pods; it must end when the flow does. Default: no."""
    queue_name: NotRequired[pulumi.Input[str]]
    """Kueue queue of the runs. Default: none."""


class KubernetesJobEnvironment(pulumi.ComponentResource):
    """A namespace of a Kubernetes cluster, as a place where flows run, each as a Job."""

    environment: pulumi.Output[dict[str, Any]]
    """The environment document; holds no secret."""
    namespace: pulumi.Output[str]
    """Namespace of the runs."""
    submitter_service_account: pulumi.Output[str]
    """Service account that may start runs."""
    previewer_service_account: pulumi.Output[str]
    """Service account that may read what `pulumi preview` needs."""

    def __init__(
        self, name: str, args: KubernetesJobEnvironmentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        draft = Draft(Kind.KUBERNETES_JOB, name, _listed(args), KubernetesJobEnvironmentArgs)
        environment = draft.plain("environment_name", name)
        namespace = draft.plain("namespace", environment)
        create = draft.plain("create_namespace", True)
        network_policies = draft.plain("network_policies", True)

        # Whatever can be refused is made before anything is registered.
        document = _document(draft, environment, namespace, with_login=draft.has("registry_credentials"))
        draft.derive(check_namespace, "namespace", "pod_security", name=environment, create=create)
        draft.check(hard_limits, "quota")
        draft.check(limit_range, "container_limits")
        login = draft.derive(registry.docker_config, "registry_credentials")
        policy = draft.derive(partial(network_policy.runs, environment), "egress", "egress_anywhere")
        metadata: dict[str, Any] = {
            part: {
                "name": child_name(environment, part),
                "namespace": namespace,
                "labels": draft.derive(partial(environment_labels, environment, part), "labels"),
            }
            for part in PARTS
        }
        bound = {
            role: draft.derive(partial(rbac.subjects, metadata[role]["name"], namespace), f"{role}s")
            for role in ("submitter", "previewer")
        }

        super().__init__(f"{PACKAGE}:index:KubernetesJobEnvironment", name, draft.inputs, opts)
        of_namespace: Any = {
            "namespace": namespace,
            "create": create,
            "labels": metadata["namespace"]["labels"],
            "default_deny": create and network_policies,
            "prefix": environment,
            **draft.part("pod_security", "quota", "container_limits"),
        }
        around = KubernetesNamespace(f"{name}-namespace", of_namespace, pulumi.ResourceOptions(parent=self))
        child = pulumi.ResourceOptions(parent=self, depends_on=[around])
        if not draft.has("service_account_name"):
            k8s.core.v1.ServiceAccount(
                f"{name}-runner", metadata=metadata["runner"], automount_service_account_token=False, opts=child
            )
        for role, rules in (
            ("submitter", rbac.SUBMITTER),
            ("previewer", rbac.previewer(namespace if create else None)),
        ):
            _role(f"{name}-{role}", metadata[role], rbac.policy_rules(rules), bound[role], child)
        if network_policies:
            k8s.networking.v1.NetworkPolicy(f"{name}-run", metadata=metadata["run"], spec=policy, opts=child)
        if login is not None:
            data = {registry.KEY: login}
            k8s.core.v1.Secret(
                f"{name}-registry", metadata=metadata["registry"], type=registry.TYPE, data=data, opts=child
            )
        text = document.apply(lambda known: to_bytes(known).decode())
        k8s.core.v1.ConfigMap(
            f"{name}-environment", metadata=metadata["environment"], data={DOCUMENT_KEY: text}, opts=child
        )

        self.environment = document
        self.namespace = pulumi.Output.from_input(namespace)
        self.submitter_service_account = pulumi.Output.from_input(metadata["submitter"]["name"])
        self.previewer_service_account = pulumi.Output.from_input(metadata["previewer"]["name"])
        self.register_outputs(
            {
                "environment": self.environment,
                "namespace": self.namespace,
                "submitterServiceAccount": self.submitter_service_account,
                "previewerServiceAccount": self.previewer_service_account,
            }
        )


def _listed(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with a list where names were given as one text with commas."""
    names = args.get("image_pull_secrets")
    if not isinstance(names, str):
        return dict(args)
    return {**args, "image_pull_secrets": [name.strip() for name in names.split(",") if name.strip()]}


def _document(draft: Draft, environment: str, namespace: str, *, with_login: bool) -> pulumi.Output[dict[str, Any]]:
    """The environment document."""
    spec = draft.derive(partial(job_spec.read, folder=project_folder()), "job_spec")
    job = draft.derive(
        partial(job_template.job_template, environment, namespace),
        *JOB_OPTIONS,
        job_spec=spec,
        service_account=child_name(environment, "runner"),
        registry_secret=child_name(environment, "registry") if with_login else None,
    )
    return draft.document(
        {"namespace": namespace, "job": job},
        computed={
            "image": draft.derive(job_template.image, "image", job_spec=spec),
            "resources": draft.derive(lambda resources=MappingProxyType({}): {**RESOURCES, **resources}, "resources"),
            "timeouts": draft.derive(lambda timeouts=MappingProxyType({}): {**TIMEOUTS, **timeouts}, "timeouts"),
            "secrets": draft.derive(job_template.secret_references, "secrets"),
        },
        stand_ins={"image": "unknown", "resources": RESOURCES, "kubernetes_job": {"job": {}}},
    )


def _role(name: str, metadata: Any, rules: Any, subjects: Any, opts: pulumi.ResourceOptions) -> None:
    """A service account, its role, and the binding of both that also binds whoever else has the role."""
    reference: Any = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": metadata["name"]}
    k8s.core.v1.ServiceAccount(name, metadata=metadata, opts=opts)
    role = k8s.rbac.v1.Role(name, metadata=metadata, rules=rules, opts=opts)
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[role]))
    k8s.rbac.v1.RoleBinding(name, metadata=metadata, role_ref=reference, subjects=subjects, opts=after)
