"""What hypothesis makes the inputs of these tests from."""

import json
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from runner import environment as env
from runner import outcome as out
from runner import request as req
from runner import sections as sec

# No database: the tests leave nothing behind. PENSTOCK_EXAMPLES lets a nightly run search longer.
settings.register_profile(
    "penstock",
    deadline=None,
    database=None,
    max_examples=int(os.environ.get("PENSTOCK_EXAMPLES", "120")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("penstock")

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
ANY_TEXT = st.text(st.characters(), max_size=20)
"""Lone surrogates and NUL among it."""


def json_values(scalars: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Nested values of JSON."""
    nested: Callable[[st.SearchStrategy[Any]], st.SearchStrategy[Any]] = lambda inner: (  # noqa: E731
        st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
    )
    return st.recursive(scalars, nested, max_leaves=12)


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = json_values(st.none() | st.booleans() | NUMBERS | TEXT, TEXT)
"""Values that can be written as JSON and read back."""
HOSTILE = json_values(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.sampled_from([10**400, -(10**400)]),
    ANY_TEXT,
)
"""Anything that Python's json module would write."""


@st.composite
def mutations(draw: st.DrawFn, document: bytes) -> str:
    """A document in which one place is another value, or is missing."""
    whole: dict[str, Any] = {"": json.loads(document)}
    holders: list[tuple[Any, Any]] = []

    def visit(holder: Any) -> None:
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            holders.append((holder, key))
            if isinstance(holder[key], dict | list):
                visit(holder[key])

    visit(whole)
    holder, key = draw(st.sampled_from(holders))
    if key == "" or draw(st.booleans()):
        holder[key] = draw(HOSTILE)
    else:
        del holder[key]
    return json.dumps(whole[""])


SECONDS = st.floats(0, env.LONGEST_SECONDS, exclude_min=True) | st.integers(1, env.LONGEST_SECONDS)
NOT_NEGATIVE = st.floats(0, env.LONGEST_SECONDS) | st.integers(0, env.LONGEST_SECONDS)
COUNTS = st.none() | st.integers(1, 10**6)


def matching(pattern: str) -> st.SearchStrategy[str]:
    """Texts that match a pattern as a whole."""
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: "\0" not in text)


FUNCTIONS = st.none() | st.sampled_from(["hooks:start", "a.b.c:d_1", "_x:_", "modul\u00e9:f"])
CALLBACKS = st.builds(env.Callbacks, on_execute=FUNCTIONS, on_start=FUNCTIONS, on_exit=FUNCTIONS)
LOGS = st.builds(env.Log, level=st.sampled_from(env.LogLevel), extra_loggers=st.lists(TEXT, max_size=3).map(tuple))
TLS = st.builds(env.TlsFiles, ca_file=TEXT, cert_file=TEXT, key_file=TEXT)
EXECUTORS = (
    st.builds(env.Executor, performance_report=st.booleans(), dashboard=st.booleans())
    | st.builds(
        env.Executor,
        type=st.just(env.ExecutorType.DASK),
        workers=COUNTS,
        threads_per_worker=COUNTS,
        memory_limit_mib=COUNTS,
        dashboard=st.booleans(),
    )
    | st.builds(
        env.Executor,
        type=st.just(env.ExecutorType.DASK),
        address=st.sampled_from(["tls://host:8786", "wss://[::1]:1"]),
        tls=st.none() | TLS,
    )
    | st.builds(env.Executor, type=st.just(env.ExecutorType.DASK), address=st.just("tcp://10.0.0.1:8786"))
)
PATHS = st.none() | st.sampled_from(["/", "/srv/flows", "/a b/\u00fc"])
SECRET_NAMES = ("TOKEN", "_password")
"""Variables with secrets, which no plain variable may be."""
OF_ANY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "name": matching(sec.NAME),
    "routing_labels": st.lists(matching(env.LABEL), unique=True, max_size=3).map(tuple),
    "metadata": st.dictionaries(TEXT, TEXT, max_size=3),
    "env": st.dictionaries(matching(env.VARIABLE).filter(lambda name: name not in SECRET_NAMES), TEXT, max_size=3),
    "executor": EXECUTORS,
    "callbacks": CALLBACKS,
    "timeouts": st.builds(
        env.Timeouts,
        queue_seconds=st.none() | SECONDS,
        start_seconds=st.none() | SECONDS,
        run_seconds=st.none() | SECONDS,
        grace_seconds=SECONDS,
    ),
    "retention": st.builds(env.Retention, succeeded_seconds=NOT_NEGATIVE, failed_seconds=NOT_NEGATIVE),
    "log": LOGS,
    "producer": st.none() | st.builds(env.Producer, version=TEXT, project=TEXT, stack=TEXT),
}
SIZES = st.integers(1, 10**6)
RESOURCES = st.builds(
    sec.Resources,
    cpu_millicores=SIZES,
    memory_mib=SIZES,
    gpu=st.integers(0, 8),
    gpu_resource=TEXT,
    cpu_limit_millicores=st.none() | st.integers(10**6, 10**7),
    memory_limit_mib=st.none() | st.integers(10**6, 10**7),
)
SECRETS = st.lists(
    st.builds(
        env.SecretReference,
        env=st.sampled_from(SECRET_NAMES),
        source=st.just(env.SecretSource.KUBERNETES_SECRET),
        id=TEXT,
        key=TEXT,
    ),
    unique_by=lambda secret: secret.env,
).map(tuple)
ACTIONS = st.sampled_from(env.Action)
FAILURE_POLICIES = st.builds(env.FailurePolicy, preempted=ACTIONS) | st.builds(
    env.FailurePolicy,
    retries=st.integers(1, 100),
    flow=ACTIONS,
    crash=st.just(env.Action.RETRY),
    oom=ACTIONS,
    preempted=ACTIONS,
)
IMAGES = st.sampled_from(["a", "registry.example:5000/team/image:1.0", f"a/b@sha256:{'0a' * 32}"])
TASKS: dict[str, Any] = {
    "region": st.just("cn-north-1"),
    "cluster_arn": st.just("arn:aws-cn:ecs:cn-north-1:123456789012:cluster/flows"),
    "task_definition_arn": st.just("arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/flows:7"),
    "capacity_provider_strategy": st.lists(
        st.builds(sec.CapacityProvider, provider=TEXT, weight=st.integers(0, 1000), base=st.integers(0, 100_000)),
        min_size=1,
        max_size=2,
    ).map(tuple),
    "subnets": st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    "security_groups": st.lists(TEXT, max_size=2).map(tuple),
    "assign_public_ip": st.booleans(),
    "platform_version": st.none() | TEXT,
    "log_group": TEXT,
    "log_stream_prefix": TEXT,
    "bucket": st.none() | TEXT,
    "task_group": st.none() | TEXT,
    "placement_strategy": st.lists(
        st.builds(sec.PlacementStrategy, type=st.sampled_from(sec.PlacementStrategyType), field=st.none() | TEXT),
        max_size=2,
    ).map(tuple),
    "propagate_tags": st.sampled_from(sec.PropagateTags),
}
"""Fields that every section about tasks of ECS has."""
DEFINITIONS = st.just("arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/workers:1")
ROLES = st.just("arn:aws-cn:iam::123456789012:role/flows")
ENVIRONMENTS = (
    st.builds(
        env.Environment,
        kind=st.just(sec.Kind.LOCAL),
        local=st.builds(sec.Local, working_directory=PATHS, python=PATHS),
        **OF_ANY_KIND,
    )
    | st.builds(
        env.Environment,
        kind=st.just(sec.Kind.KUBERNETES_JOB),
        image=IMAGES,
        resources=RESOURCES,
        secrets=SECRETS,
        failure_policy=FAILURE_POLICIES,
        kubernetes_job=st.builds(
            sec.KubernetesJob, namespace=matching(sec.NAME), job=st.dictionaries(TEXT, JSON, max_size=3)
        ),
        **OF_ANY_KIND,
    )
    | st.builds(
        env.Environment,
        kind=st.just(sec.Kind.DASK_KUBERNETES),
        image=IMAGES,
        resources=RESOURCES,
        secrets=SECRETS,
        dask_kubernetes=st.builds(
            sec.DaskKubernetes,
            namespace=matching(sec.NAME),
            job=st.dictionaries(TEXT, JSON, max_size=3),
            worker=st.dictionaries(TEXT, JSON, max_size=3),
            worker_resources=RESOURCES,
            worker_threads=SIZES,
            min_workers=st.integers(0, 5),
            max_workers=st.integers(5, 10**6),
            work_stealing=st.booleans(),
            scheduler_logs=st.booleans(),
            log_k8s_errors=st.booleans(),
        ),
        **{**OF_ANY_KIND, "executor": st.just(env.Executor(type=env.ExecutorType.DASK))},
    )
    | st.builds(
        env.Environment,
        kind=st.just(sec.Kind.FARGATE_TASK),
        image=IMAGES,
        resources=st.builds(sec.Resources, cpu_millicores=SIZES, memory_mib=SIZES),
        failure_policy=FAILURE_POLICIES,
        fargate_task=st.builds(sec.FargateTask, **TASKS),
        **{**OF_ANY_KIND, "timeouts": st.just(env.Timeouts())},
    )
    | st.builds(
        env.Environment,
        kind=st.just(sec.Kind.DASK_CLOUD_PROVIDER),
        image=IMAGES,
        resources=st.builds(sec.Resources, cpu_millicores=SIZES, memory_mib=SIZES),
        failure_policy=FAILURE_POLICIES,
        dask_cloud_provider=st.builds(
            sec.DaskCloudProvider,
            **TASKS,
            provider_class=matching(sec.PROVIDER_CLASS),
            provider_kwargs=st.dictionaries(TEXT, JSON, max_size=2),
            vpc_id=TEXT,
            worker_task_definition_arn=DEFINITIONS,
            scheduler_task_definition_arn=st.none() | DEFINITIONS,
            execution_role_arn=ROLES,
            worker_task_role_arn=ROLES,
            worker_resources=st.builds(sec.Resources, cpu_millicores=SIZES, memory_mib=SIZES),
            worker_threads=SIZES,
            worker_extra_args=st.lists(TEXT, max_size=2).map(tuple),
            min_workers=st.integers(0, 5),
            max_workers=st.integers(5, 10**6),
            fargate_scheduler=st.booleans(),
            fargate_spot=st.booleans(),
            tls=st.booleans(),
            secrets_prefix=TEXT,
            scheduler_port=st.integers(1, 65535),
            scheduler_extra_args=st.lists(TEXT, max_size=2).map(tuple),
            work_stealing=st.booleans(),
            scheduler_logs=st.booleans(),
            tags=st.dictionaries(TEXT, TEXT, max_size=2),
        ),
        **{
            **OF_ANY_KIND,
            "timeouts": st.just(env.Timeouts()),
            "executor": st.just(env.Executor(type=env.ExecutorType.DASK)),
        },
    )
)
REQUESTS = st.builds(
    req.RunRequest,
    run_id=matching(req.RUN_ID),
    attempt=st.integers(1, 10**6),
    accepted_at=NOT_NEGATIVE,
    flow=st.sampled_from(["pkg.mod:func", "path/to file.py:f", "\u00fc.py", "x"]),
    parameters=st.dictionaries(TEXT, JSON, max_size=4),
    arguments=st.lists(TEXT, max_size=3).map(tuple),
    bundle=st.none() | st.builds(req.Bundle, sha256=matching(r"[0-9a-f]{64}"), size=SIZES),
    image=st.none() | IMAGES,
    callbacks=CALLBACKS,
    executor=st.none() | EXECUTORS,
    size=st.none() | st.builds(req.Size, cpu_millicores=st.none() | SIZES, memory_mib=st.none() | SIZES),
    workers=st.none() | st.builds(req.WorkerCount, min_workers=st.integers(0, 3), max_workers=st.integers(3, 99)),
    run_seconds=st.none() | SECONDS,
    log=st.none() | LOGS,
)
OPTIONAL_TEXT = st.none() | TEXT
FAILURES = st.builds(
    out.Failure,
    failure_class=st.sampled_from(out.FailureClass),
    message=TEXT,
    detail=OPTIONAL_TEXT,
    next_step=OPTIONAL_TEXT,
    evidence=OPTIONAL_TEXT,
)
OUTCOMES = st.builds(
    out.Outcome,
    run_id=TEXT,
    attempt=st.integers(1, 10**6),
    environment=OPTIONAL_TEXT,
    kind=OPTIONAL_TEXT,
    flow=OPTIONAL_TEXT,
    state=st.sampled_from(out.State),
    exit_code=st.none() | st.integers(0, 255),
    failure=st.none() | FAILURES,
    waiting=st.none() | FAILURES,
    result=JSON,
    result_repr=OPTIONAL_TEXT,
    ledger=st.dictionaries(st.sampled_from(out.LEDGER_STEPS), NOT_NEGATIVE),
    log=st.builds(out.LogSummary, lines=st.integers(0, 10**9), sha256=TEXT),
    artifacts=st.lists(st.builds(out.Artifact, name=TEXT, path=TEXT), max_size=3).map(tuple),
    partial=st.booleans(),
)
