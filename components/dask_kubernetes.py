"""Environment of kind `dask-kubernetes`: every run is a Job that creates pods for its Dask workers.

Creates what the kind `kubernetes-job` creates, and beside that a role with which runs create their workers,
NetworkPolicies that let a run and its workers reach each other, and on request a quota for whole runs.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NotRequired, TypedDict

import pulumi

from components import dask_job, dask_network, dask_size, kubernetes_runs, rbac, worker_spec, worker_template
from components.arguments import FailurePolicyOptions, LogOptions, RetentionOptions
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
from components.kubernetes_runs import POD_OPTIONS, RESOURCES, Runs, listed
from components.kubernetes_surroundings import Surroundings
from components.namespace import PodSecurity
from components.project import project_folder
from runner.sections import Kind

WORKER_OPTIONS = (
    *POD_OPTIONS,
    *(
        "worker_resources",
        "worker_priority_class_name",
        "worker_node_selector",
        "worker_tolerations",
        "worker_affinity",
    ),
)
"""Arguments that every worker's pod is made from, beside `worker_spec`."""

DASK_OPTIONS = ("worker_threads", "work_stealing", "scheduler_logs", "log_k8s_errors")
"""Arguments that the document has as they are."""

STAND_INS: Mapping[str, Any] = {
    **kubernetes_runs.STAND_INS,
    "executor": dask_size.executor(),
    "dask_kubernetes": {"job": {}, "worker": {}, "worker_resources": RESOURCES, **dask_size.worker_range()},
}
"""What takes the place of parts of the document that are not known at preview."""


class DaskKubernetesEnvironmentArgs(TypedDict):
    """Arguments of a DaskKubernetesEnvironment; only `image` must be given, unless `job_spec` names one."""

    environment_name: NotRequired[str]
    """Name by which `penstock run --env` finds it: a DNS label in lower case. Default: the component's own name."""
    routing_labels: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Labels by which `penstock run --label` finds it. Default: none."""
    metadata: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Your own notes, without effect. Default: none."""
    image: NotRequired[pulumi.Input[str]]
    """Container image of the flow, with penstock installed; one with a digest is the same forever."""
    resources: NotRequired[pulumi.Input[ResourceOptions]]
    """What a run's own pod asks for, and at most gets. Default: 500 millicores without a limit, 1024 MiB."""
    min_workers: NotRequired[pulumi.Input[int]]
    """Fewest workers of a run. Default: as many as `max_workers`, so that their number is fixed."""
    max_workers: NotRequired[pulumi.Input[int]]
    """Most workers of a run. Default: as many as `min_workers`; 2 where neither is given."""
    worker_resources: NotRequired[pulumi.Input[ResourceOptions]]
    """What each worker asks for, and at most gets. Default: 500 millicores without a limit, 1024 MiB."""
    worker_threads: NotRequired[pulumi.Input[int]]
    """Threads of each worker, which is one process. Default: one."""
    worker_spec: NotRequired[pulumi.Input[Any]]
    """A Pod that all this is filled into where it says nothing, for workers: a mapping, or the path of a YAML or JSON
    file, relative to the folder with Pulumi.yaml. The worker's container is the one named `worker`. Default: none."""
    worker_priority_class_name: NotRequired[pulumi.Input[str]]
    """PriorityClass of the workers' pods. Default: the cluster's."""
    worker_node_selector: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of the nodes that workers may be on. Default: any."""
    worker_tolerations: NotRequired[pulumi.Input[list[pulumi.Input[dict[str, Any]]]]]
    """Taints of nodes that workers may ignore, as in a pod's `tolerations`. Default: none."""
    worker_affinity: NotRequired[pulumi.Input[dict[str, Any]]]
    """Rules about the workers' nodes and other pods, as a pod's `affinity`. Default: none."""
    work_stealing: NotRequired[pulumi.Input[bool]]
    """Whether idle workers take tasks from busy ones. Default: yes."""
    scheduler_logs: NotRequired[pulumi.Input[bool]]
    """Whether a run's log shows everything that the scheduler logs. Default: no."""
    log_k8s_errors: NotRequired[pulumi.Input[bool]]
    """Whether a run's log shows every refusal of the cluster about workers, and their pods' changes. Default: no."""
    performance_report: NotRequired[pulumi.Input[bool]]
    """Whether Dask's performance report is kept with the run. Default: yes, where bokeh is installed."""
    env: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables of every run; plain text, never a secret. Default: none."""
    secrets: NotRequired[pulumi.Input[list[pulumi.Input[SecretOptions]]]]
    """Variables whose values stand in Secrets of the namespace. Default: none."""
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
    """What all pods of the namespace may ask for together; one run must fit. Default: see `concurrent_runs`."""
    concurrent_runs: NotRequired[int]
    """How many runs with all their workers the namespace has room for: becomes a quota. Default: no limit."""
    container_limits: NotRequired[pulumi.Input[ContainerLimitOptions]]
    """Sizes of the namespace's containers. Default: none."""
    labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Kubernetes labels of everything that is created, of every Job and all pods. Default: Penstock's own only."""
    pod_annotations: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Annotations of every pod, workers' included. Default: none."""
    image_pull_secrets: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Names of Secrets of the namespace with registries' logins; a text with commas is taken apart. Default: none."""
    registry_credentials: NotRequired[pulumi.Input[list[pulumi.Input[RegistryCredentialOptions]]]]
    """Logins for registries, as a secret of Pulumi's: become one Secret, which every pod pulls with. Default: none."""
    service_account_name: NotRequired[pulumi.Input[str]]
    """Service account of runs and workers, one that exists. Default: one is created."""
    submitters: NotRequired[pulumi.Input[list[pulumi.Input[SubjectOptions]]]]
    """Who may start runs, beside the service account that is created for it. Default: nobody."""
    previewers: NotRequired[pulumi.Input[list[pulumi.Input[SubjectOptions]]]]
    """Who may read what `pulumi preview` needs, beside the service account that is created for it. Default: nobody."""
    egress: NotRequired[pulumi.Input[list[pulumi.Input[EgressOptions]]]]
    """What runs and workers may reach beside each other and the cluster's name server. Default: nothing."""
    api_server_cidrs: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Ranges of addresses of the cluster's API, which runs reach to create workers. Default: private addresses."""
    egress_anywhere: NotRequired[pulumi.Input[bool]]
    """Whether runs and workers may reach everything, cloud metadata and the cluster's own API included. Default: no."""
    network_policies: NotRequired[bool]
    """Whether NetworkPolicies are created; false leaves the network to somebody else. Default: yes."""
    priority_class_name: NotRequired[pulumi.Input[str]]
    """PriorityClass of the runs' own pods. Default: the cluster's."""
    node_selector: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of the nodes that the runs' own pods may be on. Default: any."""
    tolerations: NotRequired[pulumi.Input[list[pulumi.Input[dict[str, Any]]]]]
    """Taints of nodes that the runs' own pods may ignore, as in a pod's `tolerations`. Default: none."""
    affinity: NotRequired[pulumi.Input[dict[str, Any]]]
    """Rules about the nodes of the runs' own pods and other pods, as a pod's `affinity`. Default: none."""
    volumes: NotRequired[pulumi.Input[list[pulumi.Input[VolumeOptions]]]]
    """Volumes of the flow's and the workers' containers, beside those of the image, such as /tmp. Default: none."""
    job_spec: NotRequired[pulumi.Input[Any]]
    """A Job that all this is filled into where it says nothing: a mapping, or the path of a YAML or JSON file, relative
    to the folder with Pulumi.yaml. The flow's container is the one named `flow`. Default: none."""
    service_mesh: NotRequired[pulumi.Input[bool]]
    """Whether Istio or Linkerd may put a proxy into all pods; it must end when the flow or worker does. Default: no."""
    queue_name: NotRequired[pulumi.Input[str]]
    """Kueue queue of the runs' Jobs, without their workers. Default: none."""


class DaskKubernetesEnvironment(pulumi.ComponentResource):
    """A namespace of a Kubernetes cluster, as a place where flows run, each as a Job with Dask workers of its own."""

    environment: pulumi.Output[dict[str, Any]]
    """The environment document; holds no secret."""
    namespace: pulumi.Output[str]
    """Namespace of the runs."""
    submitter_service_account: pulumi.Output[str]
    """Service account that may start runs."""
    previewer_service_account: pulumi.Output[str]
    """Service account that may read what `pulumi preview` needs."""

    def __init__(
        self, name: str, args: DaskKubernetesEnvironmentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        draft = Draft(Kind.DASK_KUBERNETES, name, listed(args), DaskKubernetesEnvironmentArgs)
        runs = Runs(draft, name, token=True)
        section = _section(draft, runs)
        document = draft.document(
            section,
            computed={**runs.parts(), "executor": draft.derive(dask_size.executor, "performance_report")},
            stand_ins=STAND_INS,
        )
        reach = ("egress", "egress_anywhere")
        around = Surroundings(
            runs,
            document=document,
            policies={
                "run": draft.derive(partial(dask_network.runs, runs.environment), *reach, "api_server_cidrs"),
                "worker": draft.derive(partial(dask_network.workers, runs.environment), *reach),
            },
            submitter=rbac.DASK_SUBMITTER,
            runner=rbac.DASK_RUNNER,
            quota=_quota(draft, section, runs.resources),
        )

        super().__init__(f"{PACKAGE}:index:DaskKubernetesEnvironment", name, draft.inputs, opts)
        around.create(self, name)
        outputs = around.outputs()
        self.environment = document
        self.namespace = outputs["namespace"]
        self.submitter_service_account = outputs["submitterServiceAccount"]
        self.previewer_service_account = outputs["previewerServiceAccount"]
        self.register_outputs(outputs)


def _section(draft: Draft, runs: Runs) -> dict[str, Any]:
    """The document's section."""
    spec = draft.derive(partial(worker_spec.read, folder=project_folder()), "worker_spec")
    worker = draft.derive(
        partial(worker_template.worker_template, runs.environment, runs.namespace, defaults=RESOURCES),
        *WORKER_OPTIONS,
        worker_spec=spec,
        service_account=runs.account,
        registry_secret=runs.registry_secret,
    )
    workers = draft.derive(dask_size.worker_range, "min_workers", "max_workers")
    return {
        "namespace": runs.namespace,
        "job": draft.derive(dask_job.with_cleanup, job=runs.job),
        "worker": worker,
        "worker_resources": draft.derive(worker_template.resources_of, "worker_resources", worker=worker),
        "min_workers": workers["min_workers"],
        "max_workers": workers["max_workers"],
        **draft.part(*DASK_OPTIONS),
    }


def _quota(draft: Draft, section: Mapping[str, Any], resources: Any) -> Any:
    """The namespace's quota; None without one."""
    concurrent_runs = draft.plain("concurrent_runs", None)
    if concurrent_runs is None and not draft.has("quota"):
        return None
    return draft.derive(
        dask_size.quota,
        "quota",
        "container_limits",
        concurrent_runs=concurrent_runs,
        resources=resources,
        **{key: section[key] for key in ("job", "worker", "worker_resources", "max_workers")},
    )
