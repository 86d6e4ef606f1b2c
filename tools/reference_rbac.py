"""A Markdown page about the rights in an environment's namespace, from the rules that components make roles of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components import rbac
from tools.reference_tables import page, table

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMESPACE = "<namespace>"

INTRODUCTION = """\
Roles of an environment in Kubernetes, all inside its namespace. Each is bound to a service account of the same name and
to whom the stack's options `submitters` and `previewers` name."""

RUNNER = """\
Of kind `kubernetes-job`: none. Runs have a service account without a role, and its token is not mounted. What a run
needs, the kubelet gives it: the image, the Secrets that the environment document names, and the bundle of code.

Of kind `dask-kubernetes`: runs create their workers themselves. The token is mounted in the run's own pod, never in a
worker's. Whoever may create pods may use every Secret and every service account of the namespace in them."""

DASK_SUBMITTER = "Of kind `dask-kubernetes` also:"

SUBMITTER = "Who starts and stops runs."

PREVIEWER = "Who previews changes of the stack. Cannot change anything, and reads no Secret."


def rbac_page() -> str:
    """Describes each role: its rules, and what each is for."""
    return page(
        [
            "# Rights in Kubernetes",
            INTRODUCTION,
            f"## `<environment>-submitter`\n\n{SUBMITTER}\n\n{_rules(rbac.SUBMITTER)}",
            f"{DASK_SUBMITTER}\n\n{_rules(rule for rule in rbac.DASK_SUBMITTER if rule not in rbac.SUBMITTER)}",
            f"## `<environment>-previewer`\n\n{PREVIEWER}\n\n{_rules(rbac.previewer(NAMESPACE))}",
            f"## `<environment>-runner`\n\n{RUNNER}\n\n{_rules(rbac.DASK_RUNNER)}",
        ],
        source="components/rbac.py",
    )


def _rules(rules: Iterable[rbac.Rule]) -> str:
    rows = [
        (
            ", ".join(f"`{kind}{f'.{rule.group}' if rule.group else ''}`" for kind in rule.resources)
            + (f" named {', '.join(f'`{name}`' for name in rule.names)}" if rule.names else ""),
            ", ".join(rule.verbs),
            rule.reason,
        )
        for rule in rules
    ]
    return table(("What", "May be done", "Why"), rows)
