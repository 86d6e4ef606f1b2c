"""The launcher for each kind of environment, imported when it is needed."""

import importlib
from typing import cast

from runner.environment import Kind
from runner.launch.base import Launcher, RunRecord

LAUNCHERS = {Kind.LOCAL: "runner.launch.local:LocalLauncher"}


def launcher(kind: Kind) -> Launcher:
    """The launcher of a kind."""
    module, _, name = LAUNCHERS[kind].partition(":")
    return cast(Launcher, getattr(importlib.import_module(module), name)())


def launcher_of(run_id: str) -> Launcher:
    """The launcher that has the run.

    Raises:
        UsageError: none has.
    """
    local = launcher(Kind.LOCAL)
    local.find(run_id)
    return local


def all_runs() -> list[RunRecord]:
    """Every run, the newest first."""
    records = [record for kind in LAUNCHERS for record in launcher(kind).runs()]
    return sorted(records, key=lambda record: record.accepted_at, reverse=True)
