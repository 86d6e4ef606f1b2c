"""The operations of ECS in which moto does not say what ECS says."""

import json
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecs import models, urls
from moto.ecs.exceptions import ECSException, TaskDefinitionNotFoundException
from moto.ecs.models import AccountSetting
from moto.ecs.responses import EC2ContainerServiceResponse

from tests.testbed.aws.ecs_checks import refuse
from tests.testbed.aws.faults import Fault, Faults, Kind
from tests.testbed.aws.task import ProcessTask, all_tasks

MOST_TASKS = 100
FILTERS = ("family", "startedBy", "containerInstance", "serviceName", "launchType")
NOT_STARTED = {Kind.CAPACITY, Kind.RESOURCE}
"""Faults by which a task is not there at all."""
NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NO_VCPUS = "You've reached the limit on the number of vCPUs you can run concurrently"

faults = Faults()
_tokens: dict[tuple[Any, ...], tuple[str, dict[str, Any]]] = {}
_lock = threading.RLock()


class Responses(EC2ContainerServiceResponse):  # type: ignore[misc]
    """ECS, whose tasks run."""

    def run_task(self) -> ActionResult:
        """Start tasks, once for each client token."""
        token = (self.region, self._get_param("cluster"), self._get_param("clientToken") or uuid.uuid4())
        asked = json.dumps({key: value for key, value in self.params.items() if key != "clientToken"}, sort_keys=True)
        with _lock:
            if token in _tokens:
                before, answer = _tokens[token]
                if before != asked:
                    raise ECSException(
                        "ConflictException", "The request's client token was used before with other parameters."
                    )
                return ActionResult(answer)
            answer = self._started()
            if answer["tasks"]:
                _tokens[token] = asked, answer
        return ActionResult(answer)

    def _started(self) -> dict[str, Any]:
        try:
            definition = self.ecs_backend.describe_task_definition(self._get_param("taskDefinition"))
        except TaskDefinitionNotFoundException:
            raise ECSException("ClientException", "TaskDefinition not found.") from None
        cluster = self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
        refuse(self.params, cluster=cluster, definition=definition, account=self.current_account, region=self.region)
        names = [item["name"] for item in definition.container_definitions]
        if faults.of_start(definition.family, names) is not None:
            raise ECSException("ClientException", NO_VCPUS)
        hit = [faults.of_task(definition.family, names) for _ in range(self._get_int_param("count", 1))]
        refused = [self._failure(fault.kind) for fault in hit if fault is not None and fault.kind in NOT_STARTED]
        to_start = [fault for fault in hit if fault is None or fault.kind not in NOT_STARTED]
        tasks = self._tasks_of(definition, to_start) if to_start else []
        return {"tasks": [task.seen() for task in tasks], "failures": refused}

    def _failure(self, kind: Kind) -> dict[str, str]:
        if kind is Kind.CAPACITY:
            return {"reason": NO_CAPACITY}
        arn = f"arn:aws:ecs:{self.region}:{self.current_account}:container-instance/i-1"
        return {"arn": arn, "reason": "RESOURCE:MEMORY"}

    def _tasks_of(self, definition: Any, hit: Sequence[Fault | None]) -> list[ProcessTask]:
        """A new task for each fault or none that it has."""
        network = self._get_param("networkConfiguration", {}).get("awsvpcConfiguration", {})
        network.setdefault("securityGroups", [])
        self.params["count"] = len(hit)
        tasks: list[ProcessTask] = super().run_task().result["tasks"]
        for task, fault in zip(tasks, hit, strict=True):
            task.fault = fault
            task.enable_execute_command = self._get_bool_param("enableExecuteCommand", False)
            if self._get_param("propagateTags") == "TASK_DEFINITION":
                own = {item["key"] for item in task.tags}
                task.tags = [item for item in definition.tags or [] if item["key"] not in own] + task.tags
            threading.Thread(target=task.live, name=task.task_arn, daemon=True).start()
        return tasks

    def stop_task(self) -> ActionResult:
        """Ask a task to stop, and take its tags away, as the API reference says; one that has stopped is left."""
        wanted = self._get_param("task").rpartition("/")[2]
        for task in self._tasks():
            if task.id == wanted:
                task.stop(self._get_param("reason") or "Task stopped by user", "UserInitiated")
                task.tags = []
                return ActionResult({"task": task.seen()})
        raise ECSException("InvalidParameterException", "The referenced task was not found.")

    def describe_tasks(self) -> ActionResult:
        """Tasks, and which are not known."""
        asked = self._get_param("tasks", [])
        if len(asked) > MOST_TASKS:
            raise ECSException("InvalidParameterException", "Tasks can have at most 100 items.")
        result = super().describe_tasks()
        here = {task.id: task for task in self._tasks()}
        wanted = [(arn, here.get(arn.rpartition("/")[2])) for arn in dict.fromkeys(asked)]
        result.result["tasks"] = [task.seen() for _, task in wanted if task is not None]
        result.result["failures"] = [{"arn": arn, "reason": "MISSING"} for arn, task in wanted if task is None]
        return result

    def list_tasks(self) -> ActionResult:
        """ARNs of tasks, those that are to run if not said otherwise, a hundred at a time."""
        given = {name: self._get_param(name) for name in FILTERS if self._get_param(name)}
        for alone in ("startedBy", "serviceName"):
            if alone in given and len(given) > 1:
                raise ECSException("InvalidParameterException", f"cannot specify {alone} with other arguments")
        status = self._get_param("desiredStatus") or "RUNNING"
        found = [
            task.task_arn
            for task in self._tasks()
            if task.desired_status == status
            and given.get("family", task.definition.family) == task.definition.family
            and given.get("startedBy", task.started_by) == task.started_by
            and given.get("launchType", task.launch_type) == task.launch_type
            and not {"containerInstance", "serviceName"} & given.keys()
        ]
        start, most = int(self._get_param("nextToken") or 0), self._get_int_param("maxResults", MOST_TASKS)
        if not 1 <= most <= MOST_TASKS:
            raise ECSException("InvalidParameterException", "maxResults must be between 1 and 100.")
        more = {"nextToken": str(start + most)} if start + most < len(found) else {}
        return ActionResult({"taskArns": found[start : start + most], **more})

    def describe_clusters(self) -> ActionResult:
        """Clusters, which count their tasks."""
        for cluster in self.ecs_backend.clusters.values():
            states = [task.last_status for task in all_tasks() if task.cluster_arn == cluster.arn]
            cluster.running_tasks_count = states.count("RUNNING")
            cluster.pending_tasks_count = states.count("PENDING") + states.count("PROVISIONING")
        return super().describe_clusters()

    def list_clusters(self) -> ActionResult:
        """ARNs of clusters, without those that are deleted."""
        there = [cluster.arn for cluster in self.ecs_backend.clusters.values() if cluster.status != "INACTIVE"]
        return ActionResult({"clusterArns": there})

    def delete_cluster(self) -> ActionResult:
        """Refused as long as tasks are up."""
        if any(task.last_status != "STOPPED" for task in self._tasks()):
            raise ECSException("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        return super().delete_cluster()

    def _tasks(self) -> list[ProcessTask]:
        """The tasks of the cluster that is asked about."""
        cluster = self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
        return [task for task in all_tasks() if task.cluster_arn == cluster.arn]

    def list_account_settings(self) -> ActionResult:
        """Settings of the account, with their defaults on request."""
        result = super().list_account_settings()
        name = self._get_param("name")
        if name and not result.result["settings"] and self._get_bool_param("effectiveSettings", False):
            result.result["settings"] = [AccountSetting(name, "enabled")]
        return result


def install() -> None:
    """Have moto's ECS run its tasks."""
    models.Task = ProcessTask
    NetworkInterface.private_dns_name = ""  # else RunTask is a 500 without enableDnsHostnames
    models.EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(
        lambda _: {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}
    )
    urls.url_paths = {"{0}/$": Responses.dispatch}
