"""`penstock env`: the local store of environment documents."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from runner import contract, environment
from runner.cli import environments
from runner.cli.command import add_json, print_json, say, wants_json
from runner.environment import Environment
from runner.errors import UnavailableError, UsageError
from runner.launch.base import Reach
from runner.launch.folders import environments_folder


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ls|show|pull")
    listing = actions.add_parser("ls", help="list the environments of the local store")
    show = actions.add_parser("show", help="print an environment document")
    environments.add_options(show)
    show.add_argument("name", nargs="?", metavar="NAME", help="the same as --env NAME")
    pull = actions.add_parser("pull", help="put an environment document into the local store")
    pull.add_argument("file", nargs="?", metavar="FILE", help="file with the document, or - for stdin")
    pull.add_argument("--stack", metavar="STACK", help="take it from this Pulumi stack, with the Pulumi CLI")
    pull.add_argument("--namespace", metavar="NS", help="take it from this namespace of a Kubernetes cluster")
    pull.add_argument("--name", metavar="NAME", help="with --namespace: the environment, when there are several")
    pull.add_argument("--ssm", metavar="NAME", help="take that of this name from AWS Systems Manager")
    pull.add_argument("--region", metavar="NAME", help="with --ssm: the AWS region (default: as AWS' tools find it)")
    environments.add_reach(pull)
    pull.add_argument("--project", metavar="DIR", default=".", help="folder of the Pulumi project (default: this one)")
    for action in (listing, show, pull):
        add_json(action)


def run(options: argparse.Namespace) -> int:
    """Do what the action says."""
    return {"ls": _ls, "show": _show, "pull": _pull}[options.action](options)


def _ls(options: argparse.Namespace) -> int:
    found = environments.stored(_warn)
    if wants_json(options):
        print_json([contract.encode(item) for item in found])
        return 0
    if not found:
        say(f"No environments. {environments.PULL}")
        return 0
    rows = [("NAME", "KIND", "LABELS", "EXECUTOR", "STACK")]
    for item in found:
        stack = f"{item.producer.project}/{item.producer.stack}" if item.producer else ""
        rows.append((item.name, item.kind, ",".join(item.routing_labels), item.executor.type, stack))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print("\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows))
    return 0


def _show(options: argparse.Namespace) -> int:
    options.env = options.env or options.name
    document = contract.encode(environments.choose(options, _warn))
    if wants_json(options):
        print_json(document)
    else:
        import json

        print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))
    return 0


def _pull(options: argparse.Namespace) -> int:
    if sum(source is not None for source in (options.file, options.stack, options.namespace, options.ssm)) != 1:
        raise UsageError(
            "`penstock env pull` takes a FILE, --stack STACK, --namespace NS or --ssm NAME. Give one of them."
        )
    if options.stack is not None:
        found = environment.read(_stack_output(options.stack, options.project), warn=_warn)
    elif options.namespace is not None:
        found = environment.read(_from_namespace(options), warn=_warn)
    elif options.ssm is not None:
        found = environment.read(_from_parameter(options), warn=_warn)
    elif options.file == "-":
        found = environment.read(sys.stdin.buffer.read(contract.MAX_BYTES + 1), warn=_warn)
    else:
        found = environments.read_file(Path(options.file), _warn)
    path = _store(found)
    environments.note_reach(found.name, _reach(found, options))
    if wants_json(options):
        print_json({"name": found.name, "kind": found.kind, "file": str(path)})
    else:
        say(f"{found.name} ({found.kind}) is in the local store: penstock run FLOW --env {found.name}")
    return 0


def _store(found: Environment) -> Path:
    path = environments_folder() / f"{found.name}.json"
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(contract.to_bytes(found))
        partial.replace(path)
    except OSError as error:
        raise UnavailableError(
            f"The document cannot be stored in {path.parent} ({error.strerror}). "
            "Make it writable, or set XDG_STATE_HOME to another folder."
        ) from None
    return path


def _from_namespace(options: argparse.Namespace) -> bytes:
    from runner.launch.kubernetes.documents import document

    reach = Reach(kubeconfig=options.kubeconfig, context=options.context)
    return document(reach, options.namespace, options.name)


def _from_parameter(options: argparse.Namespace) -> bytes:
    from runner.launch.ecs.documents import document

    return document(Reach(profile=options.profile, region=options.region), options.ssm)


def _reach(found: Environment, options: argparse.Namespace) -> Reach:
    """The cluster or account that the document is of: the chosen one, else the one that is current now."""
    if found.on_ecs is not None:
        return Reach(profile=options.profile or os.environ.get("AWS_PROFILE"))
    if found.on_kubernetes is None:
        return Reach()
    from runner.launch.kubernetes.documents import current_context

    file = str(Path(options.kubeconfig).absolute()) if options.kubeconfig else None
    return Reach(kubeconfig=file, context=options.context or current_context(options.kubeconfig))


def _stack_output(stack: str, project: str) -> bytes:
    if not Path(project).is_dir():
        raise UsageError(f"--project {project} is not a folder. Name the one that Pulumi.yaml is in.")
    if shutil.which("pulumi") is None:
        raise UnavailableError(
            "The Pulumi CLI is not on PATH. Install it, or have somebody who has it run "
            f"`pulumi stack output environment --json -s {stack}` and pull the file."
        )
    command = ["pulumi", "stack", "output", "environment", "--json", "--non-interactive", "--stack", stack]
    done = subprocess.run(command, cwd=project, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().removeprefix("error: ")
        raise UnavailableError(
            f"The stack {stack!r} has no environment to pull ({reason}). Run `pulumi up -s {stack}` first."
        )
    return done.stdout


def _warn(sentence: str) -> None:
    say(f"penstock: {sentence}")
