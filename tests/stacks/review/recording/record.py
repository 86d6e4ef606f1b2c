"""Records the previews that reviews are tested with.

    .venv/bin/python -m tests.stacks.review.recording.record aws [CASE...]
    KUBECONFIG=$(make cluster-up) .venv/bin/python -m tests.stacks.review.recording.record kubernetes [CASE...]

With the real Pulumi CLI; on the test AWS with the provider of the tests, or with the real provider on the real cluster,
previewed as the environment's previewer where it has one.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kubernetes import config

from tests.stacks.review.recording.case import LITERALLY, SHOWN, Case
from tests.stacks.review.recording.cases import CASES
from tests.stacks.review.recording.places import AWS, PLACES, Place
from tests.testbed.aws.handle import started
from tests.testbed.pulumi_aws import attached_provider, with_aws
from tests.testbed.pulumi_engine import Engine, engine_at, penstock_at
from tests.testbed.pulumi_kubernetes import Stack, account, as_account
from tools import kubernetes_provider, pulumi_cli

HERE = Path(__file__).parent
PREVIEWS = HERE.parent / "previews"
STREAMING = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
OF_THE_MACHINE = ("sourcePosition", "stackTrace", "created", "modified")
OF_THE_PROVIDER = (
    "using pulumi-resource-kubernetes from $PATH",
    "resource plugin kubernetes is expected to have version",
)
"""What the CLI warns of where the provider has been built."""
JOB = """
apiVersion: batch/v1
kind: Job
spec:
  template:
    spec:
      nodeSelector: {pool: large}
      tolerations: [{key: large, operator: Exists}]
"""


def engine_of(place: Place, folder: Path) -> Engine:
    """The project that a place's stack belongs to, in a folder."""
    if place.example:
        return penstock_at(folder)
    engine = engine_at(folder)
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(HERE / "program" / name, engine.project)
    (engine.project / ".venv").symlink_to(sys.prefix)
    return engine


@contextmanager
def provisioned(engine: Engine, place: Place, previews: dict[Case, str], cases: Sequence[Case]) -> Iterator[Stack]:
    """A place's stack, destroyed at the end; the first previews are made on the way."""
    stack = Stack(engine=engine, name=place.name, namespace=place.settings.get("namespace", ""))
    file = _file(stack, place)
    if place.example:
        shutil.copy(file.with_name(f"Pulumi.{place.example}.yaml"), file)
        file.with_name("job.yaml").write_text(JOB)
        (engine.project / "job.yaml").write_text(JOB)
    else:
        file.write_text(json.dumps({"config": {"beside:resources": place.resources}}))
    engine.do("stack", "init", place.name)
    try:
        for path, value in place.settings.items():
            stack.set(path, value)
        for case in cases:
            if case.first:
                previews[case] = recorded(stack, place, case)
        stack.up()
        yield stack
    finally:
        if f"{place.name}.json" in engine.stacks:
            # What is protected has to be given free first.
            engine.run("state", "unprotect", "--all", "--yes", "--stack", place.name)
            stack.destroy()


def recorded(stack: Stack, place: Place, case: Case, *, previewer: Stack | None = None) -> str:
    """The preview of an edit; the stack's file is as before.

    Args:
        stack: as who may change its file.
        place: of the case.
        case: what is edited.
        previewer: who previews, when that is somebody else.
    """
    file = _file(stack, place)
    before = file.read_text()
    try:
        for path, value in case.edits:
            if value == "-":
                stack.engine.do("config", "rm", "--stack", stack.name, "--path", path)
            else:
                _set(stack, path, value)
        who = previewer or stack
        engine = replace(who.engine, env={**who.engine.env, **(STREAMING if case.streamed else {})})
        done = engine.run(case.command[0], "--stack", stack.name, *case.command[1:])
        assert done.out.strip(), f"{case.name}\n{done.err}"
        return done.out
    finally:
        file.write_text(before)


def _set(stack: Stack, path: str, value: str) -> None:
    """Also a whole object, which the CLI's `config set` cannot."""
    if not value.startswith("{"):
        stack.set(path, value.removeprefix(LITERALLY), "--plaintext")
        return
    for key, item in json.loads(value).items():
        if isinstance(item, dict):
            _set(stack, f"{path}.{key}", json.dumps(item))
        elif isinstance(item, list):
            for index, entry in enumerate(item):
                _set(stack, f"{path}.{key}[{index}]", json.dumps(entry) if isinstance(entry, dict) else str(entry))
        else:
            stack.set(f"{path}.{key}", str(item), "--plaintext")


def _file(stack: Stack, place: Place) -> Path:
    return stack.file if place.example else stack.engine.project / f"Pulumi.{stack.name}.yaml"


def record(platform: str, names: Sequence[str]) -> Iterator[tuple[Case, str]]:
    """Cases and their previews, of one platform.

    Args:
        platform: AWS or KUBERNETES.
        names: of the cases; all when empty.
    """
    for place in (place for place in PLACES.values() if place.platform == platform):
        cases = [case for case in CASES if case.place == place.name and (not names or case.name in names)]
        if not cases:
            continue
        previews: dict[Case, str] = {}
        with (
            tempfile.TemporaryDirectory() as folder,
            _on(platform, engine_of(place, Path(folder))) as engine,
            provisioned(engine, place, previews, cases) as stack,
            _previewer(stack, place, Path(folder)) as previewer,
        ):
            yield from previews.items()
            for case in cases:
                if not case.first:
                    yield case, recorded(stack, place, case, previewer=previewer)


@contextmanager
def _on(platform: str, engine: Engine) -> Iterator[Engine]:
    if platform != AWS:
        yield replace(engine, env={**engine.env, "KUBECONFIG": os.environ["KUBECONFIG"]})
        return
    with started() as aws, attached_provider(aws) as provider:
        yield with_aws(engine, provider)


@contextmanager
def _previewer(stack: Stack, place: Place, folder: Path) -> Iterator[Stack]:
    """The stack for its previewer, where the environment has an account for one."""
    if place.platform == AWS or not place.example:
        yield stack
        return
    with config.new_client_from_config(stack.engine.env["KUBECONFIG"]) as api:
        name = json.loads(
            stack.engine.do("stack", "output", "previewer_service_account", "--json", "--stack", stack.name)
        )
        with account(stack, api, name, folder) as own:
            yield as_account(stack, own)


def portable(text: str) -> str:
    """A preview without what tells of the machine and the time.

    That is where in which file each resource was registered, when, and where the provider comes from.
    """
    try:
        return _dumped(json.loads(text))
    except json.JSONDecodeError:
        return "".join(map(_dumped, map(json.loads, text.splitlines())))


def _dumped(whole: object) -> str:
    return json.dumps(_without(whole), separators=(",", ":"), ensure_ascii=False) + "\n"


def _without(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without(item) for key, item in value.items() if key not in OF_THE_MACHINE}
    return [_without(item) for item in value if not _is_of_the_provider(item)] if isinstance(value, list) else value


def _is_of_the_provider(item: object) -> bool:
    return isinstance(item, dict) and any(text in str(item.get("message", "")) for text in OF_THE_PROVIDER)


def main() -> None:
    """Writes the previews."""
    platform, *names = sys.argv[1:]
    folders = [pulumi_cli.obtain(), *([kubernetes_provider.obtain()] if platform != AWS else [])]
    os.environ["PATH"] = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
    PREVIEWS.mkdir(exist_ok=True)
    for case, text in record(platform, names):
        (PREVIEWS / case.file).write_text(text if case.command in SHOWN else portable(text))
        print(case.file, f"{len(text):,}", file=sys.stderr)


if __name__ == "__main__":
    main()
