"""Runs the jobs of an Azure pipeline here: every `bash:` line as it stands, the few tasks by what they do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.deploy.expressions import azure
from tests.deploy.github import Ran
from tests.deploy.machine import Machine
from tests.deploy.repository import git

_SET = re.compile(r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", re.MULTILINE)
_MACRO = re.compile(r"\$\(([\w.]+)\)")
_RUNTIME = re.compile(r"\$\[\s*(.*?)\s*\]$")


class Pipeline:
    """
    Args:
        file: the pipeline.
        machine: where its jobs run.
        remote: what `checkout: self` clones; commit: which commit of it.
        system: the predefined variables, by the names that they have in the environment.
        groups: the variable groups: plain and secret variables.
    """

    def __init__(
        self,
        file: Path,
        machine: Machine,
        remote: Path,
        commit: str,
        system: dict[str, str],
        groups: dict[str, dict[str, dict[str, str]]] | None = None,
    ) -> None:
        self.declared: dict[str, Any] = YAML(typ="safe").load(file.read_text())
        self._machine = machine
        self._remote = remote
        self._commit = commit
        self._system = system
        self._groups = groups or {}
        self._artifacts = machine.folder / "artifacts"
        self.jobs: dict[str, Ran] = {}

    def run(self) -> dict[str, Ran]:
        stages = self.declared.get("stages") or [{"stage": "", "jobs": self.declared["jobs"]}]
        for stage in stages:
            for job in stage["jobs"]:
                name = job.get("job") or job["deployment"]
                condition = job.get("condition") or stage.get("condition", "succeeded()")
                before = [self.jobs[each] for each in self.jobs]
                failed = any(each.failed or each.skipped for each in before)
                is_wanted = azure(condition, self._value, failed=failed)
                self.jobs[name] = self._job(name, stage, job) if is_wanted else Ran(skipped=True)
        return self.jobs

    def _job(self, name: str, stage: dict[str, Any], job: dict[str, Any]) -> Ran:
        work = self._machine.folder / name
        work.mkdir()
        ran = Ran()
        plain, secret = self._variables(stage)
        steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
        for step in steps:
            if not azure(step.get("condition", "succeeded()"), self._value, failed=ran.failed):
                continue
            code = self._step(work, step, plain, secret, ran)
            ran.codes[step.get("displayName") or step.get("task") or next(iter(step))] = code
        return ran

    def _variables(self, stage: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        plain: dict[str, str] = {}
        secret: dict[str, str] = {}
        for declared in (self.declared.get("variables", {}), stage.get("variables", {})):
            if isinstance(declared, dict):
                plain |= declared
                continue
            for each in declared:
                if "group" in each:
                    plain |= self._groups[each["group"]]["plain"]
                    secret |= self._groups[each["group"]]["secret"]
                else:
                    plain[each["name"]] = _RUNTIME.sub(lambda match: self._value(match[1]), each["value"])
        return plain, secret

    def _step(self, work: Path, step: dict[str, Any], plain: dict[str, str], secret: dict[str, str], ran: Ran) -> int:
        if "bash" not in step:
            return self._other(step, work)
        known = {**plain, **secret, "System.AccessToken": self._system.get("token", "")}
        env = {name: _MACRO.sub(lambda match: known[match[1]], value) for name, value in step.get("env", {}).items()}
        around = {name: value for name, value in self._system.items() if name != "token"}
        done = self._machine.bash(step["bash"], work, {**plain, **around, "TF_BUILD": "True", **env})
        ran.said += done.stdout + done.stderr
        if "name" in step:
            ran.outputs |= {f"{step['name']}.{name}": value for name, value in _SET.findall(done.stdout)}
        return done.returncode

    def _other(self, step: dict[str, Any], work: Path) -> int:
        given = step.get("inputs", {})
        match step.get("task") or next(iter(step)):
            case "checkout":
                if step["checkout"] == "self":
                    assert step["persistCredentials"] == "false"
                    git(work.parent, "clone", "--quiet", f"file://{self._remote}", str(work))
                    git(work, "checkout", "--quiet", self._commit)
            case "PublishPipelineArtifact@1":
                assert any((work / given["targetPath"]).iterdir())
                shutil.copytree(work / given["targetPath"], self._artifacts / given["artifact"])
            case "DownloadPipelineArtifact@2":
                shutil.copytree(self._artifacts / given["artifactName"], work / given["targetPath"])
            case "PublishTestResults@2":
                assert (work / given["testResultsFiles"]).is_file()
            case "UsePythonVersion@0" | "download":
                pass
            case other:
                raise AssertionError(f"the tests do not know what {other} does")
        return 0

    def _value(self, path: str) -> str:
        """What a path in an expression is: a system variable, the result of a job, an output of a step."""
        if path.startswith("variables["):
            return self._system.get(path[11:-2].upper().replace(".", "_"), "")
        names = [part for part in re.split(r"\.|\['|'\]", path) if part]
        if names[-1] == "result":
            ran = self.jobs[names[1]]
            return "Skipped" if ran.skipped else "Failed" if ran.failed else "Succeeded"
        # `dependencies.STAGE.outputs['JOB.STEP.NAME']` and `stageDependencies.STAGE.JOB.outputs['STEP.NAME']`
        after = names[names.index("outputs") + 1 :]
        job, rest = (after[0], after[1:]) if names[0] == "dependencies" else (names[2], after)
        return self.jobs[job].outputs.get(".".join(rest), "")
