"""Runs the jobs of a workflow here: every `run:` line in bash as it stands, the few actions by what they do.

Installing Opsloop is the one line that is not taken at its word: `python -m pip install` says yes, for it is installed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.deploy.expressions import filled, holds
from tests.deploy.machine import Machine
from tests.deploy.repository import git
from tests.deploy.stand_in import MAY_READ, MAY_WRITE


@dataclass
class Ran:
    """A job that was run: its exit codes by step name, all it said, its outputs."""

    codes: dict[str, int] = field(default_factory=dict)
    said: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    skipped: bool = False

    @property
    def failed(self) -> bool:
        return any(self.codes.values())


class Workflow:
    """
    Args:
        file: the workflow.
        machine: where its jobs run.
        remote: what actions/checkout clones; commit: which commit of it.
        github: the context `github`.
        environments: the variables and secrets of the environments that jobs name.
    """

    def __init__(
        self,
        file: Path,
        machine: Machine,
        remote: Path,
        commit: str,
        github: dict[str, Any],
        environments: dict[str, dict[str, dict[str, str]]] | None = None,
    ) -> None:
        self.declared: dict[str, Any] = YAML(typ="safe").load(file.read_text())
        self._machine = machine
        self._remote = remote
        self._commit = commit
        self._github = github
        self._environments = environments or {}
        self._artifacts = machine.folder / "artifacts"
        self.jobs: dict[str, Ran] = {}

    def run(self) -> dict[str, Ran]:
        """All jobs, in the order in which they are written, which is that of their needs."""
        assert self.declared["permissions"] == {}
        for name, job in self.declared["jobs"].items():
            self.jobs[name] = self._job(name, job)
        return self.jobs

    def _job(self, name: str, job: dict[str, Any]) -> Ran:
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        context = self._context(job, needs)
        failed = any(self.jobs[each].failed or self.jobs[each].skipped for each in needs)
        if not holds(job.get("if", "'' == ''"), context, failed=failed):
            return Ran(skipped=True)
        work = self._machine.folder / name
        work.mkdir()
        ran = Ran()
        steps: dict[str, Any] = {}
        for number, step in enumerate(job["steps"]):
            if holds(step.get("if", "'' == ''"), context, failed=ran.failed):
                code, outputs = self._step(work, job, step, context, ran)
                ran.codes[step.get("name") or step.get("uses", f"step {number}").partition("@")[0]] = code
                if "id" in step:
                    steps[step["id"]] = {"outputs": outputs}
        wanted = {**context, "steps": steps}
        ran.outputs = {key: filled(value, wanted) for key, value in job.get("outputs", {}).items()}
        return ran

    def _context(self, job: dict[str, Any], needs: list[str]) -> dict[str, Any]:
        place = self._environments.get(job.get("environment", ""), {})
        writes = job["permissions"].get("pull-requests") == "write"
        return {
            "github": {**self._github, "token": MAY_WRITE if writes else MAY_READ},
            "vars": place.get("vars", {}),
            "secrets": place.get("secrets", {}),
            "needs": {each: {"outputs": self.jobs[each].outputs} for each in needs},
        }

    def _step(
        self, work: Path, job: dict[str, Any], step: dict[str, Any], context: dict[str, Any], ran: Ran
    ) -> tuple[int, dict[str, str]]:
        if "uses" in step:
            return self._action(step["uses"].partition("@")[0], step.get("with", {}), work), {}
        output = work.parent / f"{work.name}-output"
        output.write_text("")
        asked = {**self.declared.get("env", {}), **job.get("env", {}), **step.get("env", {})}
        env = {name: filled(str(value), context) for name, value in asked.items()}
        env |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(work.parent / f"{work.name}-summary.md")}
        env |= {"GITHUB_ACTIONS": "true", **self._github["environment"]}
        done = self._machine.bash(step["run"], work, env)
        ran.said += done.stdout + done.stderr
        return done.returncode, dict(line.split("=", 1) for line in output.read_text().splitlines())

    def _action(self, name: str, options: dict[str, Any], work: Path) -> int:
        kept = self._artifacts / str(options.get("name"))
        match name:
            case "actions/checkout":
                assert options["persist-credentials"] is False
                depth = ["--depth", "1"] if options.get("fetch-depth", 1) == 1 else []
                git(work.parent, "clone", "--quiet", *depth, f"file://{self._remote}", str(work))
                git(work, "fetch", "--quiet", *depth, "origin", self._commit)
                git(work, "checkout", "--quiet", self._commit)
            case "actions/upload-artifact":
                assert any((work / options["path"]).iterdir())
                shutil.copytree(work / options["path"], kept)
            case "actions/download-artifact":
                shutil.copytree(kept, work / options["path"])
            case "actions/setup-python":
                pass
            case "aws-actions/configure-aws-credentials":
                assert options.keys() == {"aws-region", "role-to-assume"}
            case _:
                raise AssertionError(f"the tests do not know what {name} does")
        return 0


def pull_request_event(folder: Path, number: int, api: str, *, fork: bool = False) -> dict[str, Any]:
    """The context of a job that runs for a pull request from a branch, or from a fork."""
    event = folder / "event.json"
    repository = "acme/chatbot"
    head = {"repo": {"full_name": "mallory/chatbot" if fork else repository}}
    pull = {"number": number, "head": head}
    event.write_text(json.dumps({"pull_request": pull}))
    return {
        "event": {"pull_request": pull},
        "repository": repository,
        "environment": {
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": repository,
            "GITHUB_API_URL": api,
            "GITHUB_BASE_REF": "main",
            "GITHUB_REF": f"refs/pull/{number}/merge",
        },
    }


def schedule_event() -> dict[str, Any]:
    repository = "acme/models"
    return {
        "repository": repository,
        "server_url": "https://github.com",
        "run_id": "42",
        "environment": {"GITHUB_REPOSITORY": repository, "GITHUB_REF": "refs/heads/main"},
    }


def push_event() -> dict[str, Any]:
    return {
        "repository": "acme/chatbot",
        "environment": {"GITHUB_REPOSITORY": "acme/chatbot", "GITHUB_REF": "refs/heads/main"},
    }
