"""Environment of kind `kubernetes-job`: every run is a Job of a Kubernetes cluster.

Creates a namespace (or takes one), service accounts for runs and for those who start and preview them, with roles that
give no more than they need, a NetworkPolicy for runs, the registries' login, and a ConfigMap with the environment
document.
"""

from functools import partial
from typing import Any, NotRequired, TypedDict

import pulumi

from components import network_policy, rbac
from components.arguments import ExecutorOptions, FailurePolicyOptions, LogOptions, RetentionOptions
from components.document import PACKAGE, Draft
from components.kubernetes_arguments import (
    ContainerLimitOptions,
    EgressOptions,
    QuotaOptions,
    RegistryCredentialOptions,
    ResourceOptions,
    SecretOptions,
    SubjectOptions,
    TimeoutOptions,
    VolumeOptions,
)
from components.kubernetes_runs import STAND_INS, Runs, listed
from components.kubernetes_surroundings import Surroundings
from components.namespace import PodSecurity
from runner.sections import Kind


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
        draft = Draft(Kind.KUBERNETES_JOB, name, listed(args), KubernetesJobEnvironmentArgs)
        runs = Runs(draft, name)
        document = draft.document(
            {"namespace": runs.namespace, "job": runs.job},
            computed=runs.parts(),
            stand_ins={**STAND_INS, "kubernetes_job": {"job": {}}},
        )
        policy = draft.derive(partial(network_policy.runs, runs.environment), "egress", "egress_anywhere")
        around = Surroundings(
            runs,
            document=document,
            policies={"run": policy},
            submitter=rbac.SUBMITTER,
            quota=draft.part("quota").get("quota"),
        )

        super().__init__(f"{PACKAGE}:index:KubernetesJobEnvironment", name, draft.inputs, opts)
        around.create(self, name)
        outputs = around.outputs()
        self.environment = document
        self.namespace = outputs["namespace"]
        self.submitter_service_account = outputs["submitterServiceAccount"]
        self.previewer_service_account = outputs["previewerServiceAccount"]
        self.register_outputs(outputs)
