"""The operations of ECS in which moto does not say what ECS says."""

import json
import threading
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecs import models, urls
from moto.ecs.exceptions import ECSException
from moto.ecs.models import AccountSetting
from moto.ecs.responses import EC2ContainerServiceResponse

from tests.testbed.aws.faults import Faults, Kind
from tests.testbed.aws.task import ProcessTask, all_tasks

LONGEST_OVERRIDES = 8192
MOST_TASKS = 100
NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NO_VCPUS = "You've reached the limit on the number of vCPUs you can run concurrently"

faults = Faults()
_tokens: dict[tuple[Any, ...], tuple[str, list[ProcessTask]]] = {}
_lock = threading.RLock()


class Responses(EC2ContainerServiceResponse):  # type: ignore[misc]
    """ECS, whose tasks run."""

    def run_task(self) -> ActionResult:
        """Start tasks, once for each client token."""
        overrides = self._get_param("overrides", {})
        if len(json.dumps(overrides)) > LONGEST_OVERRIDES:
            raise ECSException("InvalidParameterException", "Overrides length must be at most 8192.")
        token = (self.region, self._get_param("cluster"), self._get_param("clientToken") or uuid.uuid4())
        asked = json.dumps({key: value for key, value in self.params.items() if key != "clientToken"}, sort_keys=True)
        with _lock:
            if token in _tokens:
                before, tasks = _tokens[token]
                if before != asked:
                    raise ECSException(
                        "ConflictException", "The client token was used before with other request parameters."
                    )
                return ActionResult({"tasks": tasks, "failures": []})
            tasks = self._started()
            if isinstance(tasks, ActionResult):
                return tasks
            _tokens[token] = asked, tasks
        return ActionResult({"tasks": tasks, "failures": []})

    def _started(self) -> Any:
        definition = self.ecs_backend.describe_task_definition(self._get_param("taskDefinition"))
        if definition.status == "INACTIVE":
            raise ECSException("ClientException", "TaskDefinition is inactive")
        names = [item["name"] for item in definition.container_definitions]
        fault = faults.of_task(definition.family, names)
        kind = fault.kind if fault is not None else None
        if kind is Kind.CAPACITY:
            return ActionResult({"tasks": [], "failures": [{"reason": NO_CAPACITY}]})
        if kind is Kind.RESOURCE:
            arn = f"arn:aws:ecs:{self.region}:{self.current_account}:container-instance/i-1"
            return ActionResult({"tasks": [], "failures": [{"arn": arn, "reason": "RESOURCE:MEMORY"}]})
        if kind is Kind.QUOTA:
            raise ECSException("ClientException", NO_VCPUS)
        network = self._get_param("networkConfiguration", {}).get("awsvpcConfiguration", {})
        network.setdefault("securityGroups", [])
        tasks: list[ProcessTask] = super().run_task().result["tasks"]
        for task in tasks:
            task.fault = fault
            task.enable_execute_command = self._get_bool_param("enableExecuteCommand", False)
            if self._get_param("propagateTags") == "TASK_DEFINITION":
                own = {item["key"] for item in task.tags}
                task.tags = [item for item in definition.tags or [] if item["key"] not in own] + task.tags
            threading.Thread(target=task.live, name=task.task_arn, daemon=True).start()
        return tasks

    def stop_task(self) -> ActionResult:
        """Ask a task to stop; one that has stopped is left as it is."""
        wanted = self._get_param("task").rpartition("/")[2]
        self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
        for task in all_tasks():
            if task.id == wanted:
                task.stop(self._get_param("reason") or "Task stopped by user", "UserInitiated")
                return ActionResult({"task": task})
        raise ECSException("InvalidParameterException", "The referenced task was not found.")

    def describe_tasks(self) -> ActionResult:
        """Tasks, and which are not known."""
        asked = self._get_param("tasks", [])
        if len(asked) > MOST_TASKS:
            raise ECSException("InvalidParameterException", "tasks can have at most 100 items.")
        result = super().describe_tasks()
        found = {task.id for task in result.result["tasks"]}
        missing = [arn for arn in asked if arn.rpartition("/")[2] not in found]
        result.result["failures"] = [{"arn": arn, "reason": "MISSING"} for arn in missing]
        return result

    def list_tasks(self) -> ActionResult:
        """ARNs of tasks, those that are to run if not said otherwise."""
        given = {name for name in ("family", "startedBy", "containerInstance", "serviceName") if self._get_param(name)}
        if "startedBy" in given and len(given) > 1:
            raise ECSException("InvalidParameterException", "startedBy cannot be combined with other filters.")
        self.params.setdefault("desiredStatus", "RUNNING")
        return super().list_tasks()

    def list_account_settings(self) -> ActionResult:
        """Settings of the account, with their defaults on request."""
        result = super().list_account_settings()
        name = self._get_param("name")
        if name and not result.result["settings"] and self._get_bool_param("effectiveSettings", False):
            result.result["settings"] = [AccountSetting(name, "enabled")]
        return result


def install() -> None:
    """Have moto's ECS run its tasks."""
    models.Task = ProcessTask  # type: ignore[misc]
    NetworkInterface.private_dns_name = ""  # else RunTask is a 500 without enableDnsHostnames
    models.EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(
        lambda _: {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}
    )
    urls.url_paths = {"{0}/$": Responses.dispatch}
