"""A task of ECS that really runs: moto's task, whose state follows the processes of its containers."""

import contextlib
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.ecs import models

from tests.testbed.aws import secret_values
from tests.testbed.aws.container import DEFAULT_STOP_SECONDS, Container, Image
from tests.testbed.aws.driver import Stream
from tests.testbed.aws.faults import Fault, Kind
from tests.testbed.aws.roles import refusal
from tests.testbed.aws.task_address import Address

PULL = "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
REASONS: Mapping[Kind, str] = {
    Kind.PULL_MISSING: f"{PULL}failed to resolve ref {{image}}: {{image}}: not found",
    Kind.PULL_DENIED: f"{PULL}failed to resolve ref {{image}}: pulling from host failed with status code "
    "[manifests latest]: 403 Forbidden",
    Kind.PULL_BUSY: f"{PULL}httpReadSeeker: failed open: unexpected status code 429 Too Many Requests - Server "
    "message: toomanyrequests: Data limit exceeded",
    Kind.PULL_TIMEOUT: f"{PULL}failed to resolve ref {{image}}: failed to do request: Head: dial tcp 52.0.0.1:443: i/o "
    "timeout",
    Kind.SECRET: "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
    "failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret from "
    "secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    Kind.LOG_GROUP: "ResourceInitializationError: failed to validate logger args: ResourceNotFoundException: The "
    "specified log group does not exist.",
    Kind.FAILS_TO_START: "Timeout waiting for network interface provisioning to complete.",
}
"""As ECS words them ("Stopped tasks error messages", "CannotPullContainer task errors", ECS Developer Guide)."""
ESSENTIAL_EXITED = "Essential container in task exited"
USUAL_DELAYS = {"PROVISIONING": 0.02, "PENDING": 0.02}


@dataclass
class World:
    """What all tasks of a server share."""

    endpoint: str = ""
    images: dict[str, Image] = field(default_factory=dict)
    namespace: bool = False
    delays: dict[str, float] = field(default_factory=USUAL_DELAYS.copy)
    """Seconds in each state before the containers are up."""
    log_delay: float = 0.0
    """Seconds until what a container printed can be read."""


world = World()


def now() -> datetime:
    """The time, as moto has it."""
    return datetime.now(UTC)


class ProcessTask(models.Task):  # type: ignore[misc]
    """A task whose containers are processes."""

    __module__ = models.__name__  # moto's metaclass wants a dotted module name
    last_status = "PROVISIONING"
    id: str
    launch_type: str
    desired_status: str
    stop_code: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.id = self.id.replace("-", "")
        self.definition = self._backend.describe_task_definition(self.task_definition_arn)
        self.specs: list[dict[str, Any]] = self.definition.container_definitions
        self.cpu = self.overrides.get("cpu") or self.definition.cpu
        self.memory = self.overrides.get("memory") or self.definition.memory
        self.created_at, self.version, self.connectivity = now(), 1, "CONNECTED"
        self.enable_execute_command = False
        self.launch_type = self.launch_type or "FARGATE"
        self.platform_family, self.platform_version = "Linux", "1.4.0"
        self._execution_role = self.overrides.get("executionRoleArn") or getattr(
            self.definition, "execution_role_arn", None
        )
        self.task_role = self.overrides.get("taskRoleArn") or getattr(self.definition, "task_role_arn", None)
        self.stopped_reason: Any = None
        self.fault: Fault | None = None
        self.running: dict[str, Container] = {}
        self.lock = threading.RLock()
        self.lost = False
        """Whether the machine is lost, so that nobody knows how containers have ended."""
        self.stop_wanted = threading.Event()
        self.ended = threading.Event()
        self._address = Address(self.attachments[0], self._account_id, self.region_name) if self.attachments else None
        self.ip = self._address.text if self._address is not None else "127.0.0.1"
        self.subnet = self._address.subnet if self._address is not None else None
        self.containers = [self._container(spec) for spec in self.specs]

    def _container(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        prefix, _, path = self.task_arn.partition(":task/")
        return {
            "containerArn": f"{prefix}:container/{path}/{uuid.uuid4()}",
            "taskArn": self.task_arn,
            "name": spec["name"],
            "image": spec["image"],
            "lastStatus": "PENDING",
            "healthStatus": "UNKNOWN",
            "runtimeId": f"{self.id}-{spec['name']}",
            "networkInterfaces": [
                {"attachmentId": item["id"], "privateIpv4Address": self.ip} for item in self.attachments
            ],
        }

    def seen(self) -> "ProcessTask":
        """The task as it is now, for an answer: its threads go on while that is written."""
        made = object.__new__(type(self))
        with self.lock:
            made.__dict__.update(self.__dict__, containers=[dict(container) for container in self.containers])
        return made

    def live(self) -> None:
        """The task's whole life, on a thread of its own that outlives its processes: see `--pdeathsig`."""
        try:
            self._live()
        except BaseException as error:
            # A mistake of this server's own must not leave a task that never ends.
            self._kill_all()
            self._finish("TaskFailedToStart", f"{type(error).__name__}: {error}")
            raise
        finally:
            self.ended.set()

    def _live(self) -> None:
        for state, seconds in world.delays.items():
            self.last_status = state
            if state == "PENDING":
                self.pull_started_at = now()
            self.stop_wanted.wait(seconds)
        kind = self.fault.kind if self.fault is not None else None
        if kind is Kind.STUCK:
            self.stop_wanted.wait()
        if self.stop_wanted.is_set():
            self._finish(None, None)
            return
        with tempfile.TemporaryDirectory(prefix="ecs-task-", ignore_cleanup_errors=True) as home:
            streams: list[Stream] = []
            try:
                if kind is not None and kind in REASONS:
                    raise RuntimeError(REASONS[kind].format(image=self.specs[0]["image"]))
                self._start(Path(home), streams)
            except RuntimeError as error:
                self._kill_all()
                self._finish("TaskFailedToStart", str(error))
                return
            self._watch()
        if world.log_delay:  # as on AWS, where nothing waits for the log
            self._finish("EssentialContainerExited", ESSENTIAL_EXITED)
        for stream in streams:
            stream.close()
        if not world.log_delay:
            self._finish("EssentialContainerExited", ESSENTIAL_EXITED)

    def _start(self, home: Path, streams: list[Stream]) -> None:
        prepared = []
        for spec in self._in_order():
            if spec["image"] not in world.images:
                raise RuntimeError(REASONS[Kind.PULL_MISSING].format(image=spec["image"]))
            folder = home / spec["name"]
            folder.mkdir()
            prepared.append((spec, folder, self._environment(spec, folder), self._stream(spec, streams)))
        self.pull_stopped_at = now()
        with self.lock:
            if self.desired_status != "RUNNING":
                return
            for spec, folder, env, copy in prepared:
                override = self._override(spec["name"])
                self.running[spec["name"]] = Container(
                    [*spec.get("entryPoint", []), *(override.get("command") or spec.get("command", []))],
                    env,
                    Path(world.images[spec["image"]].folder or folder),
                    stop_seconds=spec.get("stopTimeout", DEFAULT_STOP_SECONDS),
                    namespace=world.namespace,
                    copy=copy,
                )
                self._of(spec["name"])["lastStatus"] = "RUNNING"
            self.last_status = "RUNNING"
            self.started_at = now()

    def _stream(self, spec: Mapping[str, Any], streams: list[Stream]) -> Any:
        configuration = spec.get("logConfiguration")
        if not configuration:
            return lambda output: output.read()
        options, name = configuration["options"], spec["name"]
        place = f"log-stream:{options['awslogs-stream-prefix']}/{name}/{self.id}"
        arn = (
            f"arn:aws:logs:{options['awslogs-region']}:{self._account_id}:log-group:{options['awslogs-group']}:{place}"
        )
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if said := refusal(self._execution_role, action, arn):
                raise RuntimeError(
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
                    f"times: failed to create Cloudwatch log stream: {said} : exit status 1"
                )
        stream = Stream(options, name, self.id, self._account_id, delay=world.log_delay)
        streams.append(stream)
        return stream.copy

    def _environment(self, spec: Mapping[str, Any], folder: Path) -> dict[str, str]:
        """All that the process gets: nothing of this machine's."""
        image = world.images[spec["image"]]
        env = {
            "PATH": f"{image.bin}:/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "AWS_REGION": self.region_name,
            "AWS_DEFAULT_REGION": self.region_name,
            "AWS_EXECUTION_ENV": f"AWS_ECS_{self.launch_type}",
            "AWS_ENDPOINT_URL": world.endpoint,
            "ECS_CONTAINER_METADATA_URI_V4": f"{world.endpoint}/penstock/metadata/{self.id}/{spec['name']}",
        }
        if self.task_role:
            env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{world.endpoint}/penstock/credentials/{self.id}"
        for secret in spec.get("secrets", []):
            env[secret["name"]] = secret_values.value(
                secret["valueFrom"], account=self._account_id, region=self.region_name, role=self._execution_role
            )
        for item in spec.get("environment", []) + self._override(spec["name"]).get("environment", []):
            env[item["name"]] = item["value"]
        return env

    def _watch(self) -> None:
        """Wait until an essential container has ended, or the fault hits, and then for all of them."""
        essential = {spec["name"] for spec in self.specs if spec.get("essential", True)}
        over = threading.Event()

        def wait(name: str, container: Container) -> None:
            code = container.wait()
            with self.lock:
                if not self.lost:
                    self._of(name)["exitCode"] = code
                self._of(name)["lastStatus"] = "STOPPED"
            if name in essential:
                over.set()

        threads = [threading.Thread(target=wait, args=item, daemon=True) for item in self.running.items()]
        for thread in threads:
            thread.start()
        if threads and not over.wait(self.fault.delay if self.fault else None):
            assert self.fault is not None
            self.hit(self.fault.kind, self.fault.container)
            over.wait()
        if threads:
            self.stop(ESSENTIAL_EXITED, "EssentialContainerExited")
        self._terminate_all()
        for thread in threads:
            thread.join()

    def hit(self, kind: Kind, container: str | None = None) -> None:
        """Have a fault hit a task that is up.

        Args:
            kind: OOM, SPOT or HOST; others do nothing to it.
            container: which one is killed for memory; null for the first.
        """
        if kind is Kind.OOM:
            name = container or next(iter(self.running))
            self._of(name)["reason"] = "OutOfMemoryError: Container killed due to memory usage"
            self.running[name].kill()
        elif kind is Kind.SPOT:
            self.stop("Your Spot Task was interrupted.", "SpotInterruption")
        elif kind is Kind.HOST:
            with self.lock:
                self.desired_status = "STOPPED"
                self.stop_code, self.stopped_reason = "TerminationNotice", "Host EC2 (instance i-0abc) terminated."
            self.lost = True
            self._kill_all()

    def stop(self, reason: str, code: str) -> None:
        """Ask the task to stop."""
        with self.lock:
            if self.desired_status == "STOPPED":
                return
            self.desired_status, self.stop_code, self.stopped_reason = "STOPPED", code, reason
            self.stopping_at = now()
            if self.last_status == "RUNNING":
                self.last_status = "STOPPING"
        self.stop_wanted.set()
        threading.Thread(target=self._terminate_all, daemon=True).start()

    def _in_order(self) -> list[dict[str, Any]]:
        """The containers, each behind those that it depends on."""
        left, found = list(self.specs), list[dict[str, Any]]()
        while left:
            names = {spec["name"] for spec in left}
            ready = [spec for spec in left if not names & set(_depends_on(spec))]
            if not ready:
                raise RuntimeError("Containers depend on each other.")
            found += ready
            left = [spec for spec in left if spec not in ready]
        return found

    def _terminate_all(self) -> None:
        """Ask all containers to end, each as soon as those have ended that depend on it."""

        def end(name: str, container: Container) -> None:
            for spec in self.specs:
                if name in _depends_on(spec):
                    self.running[spec["name"]].wait()
            container.terminate()

        threads = [threading.Thread(target=end, args=item, daemon=True) for item in self.running.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _kill_all(self) -> None:
        for container in self.running.values():
            container.kill()

    def _finish(self, code: str | None, reason: str | None) -> None:
        if self.running:
            self.last_status = "DEPROVISIONING"
            self.execution_stopped_at = now()
        if self._address is not None:
            self._address.release()
        with self.lock:
            if self.desired_status != "STOPPED":
                self.stop_code, self.stopped_reason, self.stopping_at = code, reason, now()
            for container in self.containers:
                container["lastStatus"] = "STOPPED"
                if code == "TaskFailedToStart":
                    container["reason"] = reason
            self.stopped_at = now()
            self.last_status = self.desired_status = "STOPPED"

    def _of(self, name: str) -> dict[str, Any]:
        return next(item for item in self.containers if item["name"] == name)

    def _override(self, name: str) -> Mapping[str, Any]:
        overrides = self.overrides.get("containerOverrides", [])
        return next((item for item in overrides if item.get("name") == name), {})


def _depends_on(spec: Mapping[str, Any]) -> list[str]:
    """The containers that are started before a container, and asked to end when it has ended."""
    return [item["containerName"] for item in spec.get("dependsOn", [])]


def all_tasks() -> list[ProcessTask]:
    """Every task that ECS remembers, of every account and region."""
    return [
        task
        for regions in models.ecs_backends.values()
        for backend in regions.values()
        for tasks in list(backend.tasks.values())
        for task in list(tasks.values())
    ]


def forget(*, older_than: float = 0.0) -> int:
    """Forget stopped tasks, as ECS does after an hour; the number of them."""
    count = 0
    for regions in models.ecs_backends.values():
        for backend in regions.values():
            for tasks in backend.tasks.values():
                for arn, task in list(tasks.items()):
                    if task.last_status == "STOPPED" and time.time() - task.stopped_at.timestamp() >= older_than:
                        del tasks[arn]
                        count += 1
    return count


def end_all() -> None:
    """Kill every process of every task."""
    for task in all_tasks():
        for container in task.running.values():
            with contextlib.suppress(OSError):
                container.kill()
