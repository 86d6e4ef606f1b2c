from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.bench.ecs_place import first_line, own_seconds
from tests.bench.processes import MeasurementError


def event(message: str, timestamp: int) -> dict[str, Any]:
    return {"message": message, "timestamp": timestamp}


@pytest.mark.parametrize("line", ["hello from the flow", "'hello from the flow'", "hello from the flow\n"])
def test_the_flows_own_line_counts_and_not_what_the_runner_prints_before_it(line: str) -> None:
    events = [event("runner: hello from the flow begins", 1_000), event(line, 1_250), event(line, 1_500)]
    assert first_line(events) == 1.25


def test_a_task_that_never_printed_its_line_is_told_with_its_log() -> None:
    with pytest.raises(MeasurementError, match="but: \\['Traceback'\\]"):
        first_line([event("Traceback", 1_000)])


def test_a_tasks_own_time_goes_from_its_acceptance_to_its_end() -> None:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    task = {"createdAt": created, "startedAt": created + timedelta(seconds=1)}
    assert own_seconds({**task, "stoppedAt": created + timedelta(seconds=2.5)}) == 2.5
