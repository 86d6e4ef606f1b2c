"""Runs the shell of jobs of GitHub Actions and of GitLab CI as it is written, in a checkout, without either.

Actions are not run; for those that shell steps need, what they leave is made here.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BASH = shutil.which("bash") or "bash"
STEP_SECONDS = 50
EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")


def filled_in(text: str, contexts: Mapping[str, Any]) -> str:
    """A text with its expressions, which must be names of values."""

    def value(match: re.Match[str]) -> str:
        found: Any = contexts
        for key in match[1].split("."):
            found = found[key]
        return str(found)

    filled = EXPRESSION.sub(value, text)
    assert "${{" not in filled, text
    return filled


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a job has left."""

    code: int
    """Exit code of the first step that failed, or 0."""
    log: str
    summary: str = ""


@dataclass(kw_only=True)
class Machine:
    """Where jobs run."""

    checkout: Path
    folder: Path
    """For what is beside the checkout."""
    env: Mapping[str, str]
    actions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Variables that an action sets, by its name."""

    def github(self, job: Mapping[str, Any], contexts: Mapping[str, Any], event: Path) -> Ran:
        """Run a job of a workflow, which begins without what other jobs have left in the checkout."""
        shutil.rmtree(self.checkout / "reports", ignore_errors=True)
        files = {name: self.folder / name for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        runner = {"RUNNER_TEMP": str(self.folder), "GITHUB_EVENT_PATH": str(event), **contexts["default_variables"]}
        env = {**self.env, **runner, **{name: str(file) for name, file in files.items()}}
        code, log = 0, ""
        for step in job["steps"]:
            if not _is_due(step.get("if"), contexts, failed=bool(code)):
                continue
            if "run" in step:
                env |= dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
                added = files["GITHUB_PATH"].read_text().splitlines()
                path = os.pathsep.join([*reversed(added), self.env["PATH"]])
                given = {name: filled_in(value, contexts) for name, value in step.get("env", {}).items()}
                ended, said = self._bash(step["run"], {**env, "PATH": path, **given})
                code, log = code or ended, log + said
            else:
                name = step["uses"].partition("@")[0]
                env |= self.actions.get(name, {})
                self._artifacts(name, {key: _text(value, contexts) for key, value in step.get("with", {}).items()})
        return Ran(code=code, log=log, summary=files["GITHUB_STEP_SUMMARY"].read_text())

    def gitlab(self, job: Mapping[str, Any], variables: Mapping[str, str]) -> Ran:
        """Run a job of a pipeline."""
        lines: Sequence[str] = [*job.get("before_script", []), *job["script"]]
        code, log = self._bash("\n".join(lines), {**self.env, "CI": "true", **variables})
        return Ran(code=code, log=log)

    def _bash(self, script: str, env: Mapping[str, str]) -> tuple[int, str]:
        # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#defaultsrunshell
        file = self.folder / "step.sh"
        file.write_text(script)
        done = subprocess.run(
            [BASH, "--noprofile", "--norc", "-eo", "pipefail", str(file)],
            cwd=self.checkout,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=STEP_SECONDS,
        )
        return done.returncode, done.stdout

    def _artifacts(self, action: str, given: Mapping[str, str]) -> None:
        kept = self.folder / "artifacts"
        if action == "actions/upload-artifact":
            source = self.checkout / given["path"]
            assert any(source.iterdir())
            shutil.copytree(source, kept / given["name"], dirs_exist_ok=True)
        if action == "actions/download-artifact":
            assert given["merge-multiple"] == "true"
            for artifact in kept.glob(given["pattern"]):
                shutil.copytree(artifact, self.checkout / given["path"], dirs_exist_ok=True)


def _text(value: object, contexts: Mapping[str, Any]) -> str:
    return str(value).lower() if isinstance(value, bool) else filled_in(str(value), contexts)


def _is_due(condition: str | None, contexts: Mapping[str, Any], *, failed: bool) -> bool:
    if condition is None:
        return not failed
    if condition == "${{ !cancelled() }}":
        return True
    return not failed and filled_in(f"${{{{ {condition} }}}}", contexts) == "True"
