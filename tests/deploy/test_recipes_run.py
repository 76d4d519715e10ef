"""The recipes are run line by line: a good change gets through, a bad one is stopped and told about."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsloop.client.ci.comments import mark_of
from tests.acceptance.up import Up, opsloop
from tests.deploy.azure import Pipeline
from tests.deploy.conftest import SAMPLE
from tests.deploy.github import Workflow, pull_request_event, push_event
from tests.deploy.machine import Machine
from tests.deploy.repository import Repository
from tests.deploy.stand_in import MAY_WRITE, Kept

DEPLOY = Path(__file__).parents[2] / "deploy"
DECIDE = "Evaluate and decide"
RELEASE = "Release what was evaluated"
COMMENT = "Write the comment, or bring it up to date"


def change_well(repository: Repository, branch: str) -> str:
    """Another flow that answers the same."""
    file = repository.work / "flows" / "answer" / "passages.py"
    file.write_text(file.read_text() + "\n# Passages come best first.\n")
    return repository.push(branch, "Say in which order passages come")


def change_badly(repository: Repository, branch: str) -> str:
    """A flow that answers in haste."""
    shutil.copytree(SAMPLE / "flows" / "answer-hasty", repository.work / "flows" / "answer", dirs_exist_ok=True)
    return repository.push(branch, "Answer faster")


def github(repository: Repository, tmp_path: Path, comments: Kept, commit: str, name: str, **event: Any) -> Workflow:
    machine = Machine(tmp_path / name)
    context = pull_request_event(machine.folder, 7, comments.url, **event)
    return Workflow(DEPLOY / "github-actions" / "pull-request.yml", machine, repository.remote, commit, context)


@pytest.mark.slow
def test_a_pull_request_is_evaluated_and_told_about_in_one_comment(
    repository: Repository, tmp_path: Path, comments: Kept
) -> None:
    comments.add(7, f"{mark_of('answers')}\nGate passed, says somebody else.", "mallory")
    jobs = github(repository, tmp_path, comments, change_well(repository, "good"), "first").run()
    assert not jobs["evaluate"].failed, jobs["evaluate"].said
    assert not jobs["comment"].failed, jobs["comment"].said
    foreign, ours = comments.bodies(7)
    assert foreign.endswith("says somebody else.")
    assert "0 of 42 rows broke" in ours
    kept = tmp_path / "first" / "artifacts" / "evaluation"
    assert {file.name for file in kept.iterdir()} >= {"report.html", "junit.xml", "report.md", "result.json"}
    assert (tmp_path / "first" / "evaluate-summary.md").read_text().startswith("### Evaluation of")

    repository.switch("good")
    jobs = github(repository, tmp_path, comments, change_badly(repository, "good"), "second").run()
    assert jobs["evaluate"].codes[DECIDE] == 6
    assert "Gate failed" in jobs["evaluate"].said
    assert not jobs["comment"].failed, jobs["comment"].said
    foreign, ours = comments.bodies(7)
    assert "**Gate failed: " in ours
    assert "token\\_f1 fell" in ours
    assert "rows passed before and do not now" in ours


@pytest.mark.slow
def test_a_pull_request_of_a_fork_is_evaluated_without_any_right(
    repository: Repository, tmp_path: Path, comments: Kept
) -> None:
    jobs = github(repository, tmp_path, comments, change_well(repository, "fork"), "fork", fork=True).run()
    assert not jobs["evaluate"].failed, jobs["evaluate"].said
    assert jobs["comment"].skipped
    assert comments.asked == []


@pytest.mark.slow
def test_the_same_on_azure_pipelines(repository: Repository, tmp_path: Path, comments: Kept) -> None:
    system = {
        "token": MAY_WRITE,
        "SYSTEM_COLLECTIONURI": f"{comments.url}/acme/",
        "SYSTEM_TEAMPROJECT": "Chat bot",
        "BUILD_REPOSITORY_ID": "repo-1",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
        "SYSTEM_PULLREQUEST_ISFORK": "False",
    }
    commit = change_badly(repository, "bad")
    file = DEPLOY / "azure-pipelines" / "pull-request.yml"
    for name in ("first", "second"):
        jobs = Pipeline(file, Machine(tmp_path / name), repository.remote, commit, system).run()
        assert jobs["evaluate"].codes[DECIDE] == 6, jobs["evaluate"].said
        assert jobs["comment"].codes[COMMENT] == 0, jobs["comment"].said
    (ours,) = comments.bodies(7)
    assert "**Gate failed: " in ours


class Production:
    """A platform that serves the sample project, and the keys that pipelines have for it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.keys = {role: self._key(role) for role in ("developer", "operator")}

    def _key(self, role: str) -> str:
        done = opsloop("token", "create", f"ci-{role}", "--role", role, "--json", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        return str(found["secret"])

    def numbers(self) -> list[int]:
        done = opsloop("release", "list", "support-chat", "--json", cwd=self.folder)
        return [each["number"] for each in json.loads(done.stdout)["items"]]

    @property
    def environments(self) -> dict[str, dict[str, dict[str, str]]]:
        roles = {"evaluation": "developer", "production": "operator"}
        return {
            name: {"vars": {"OPSLOOP_URL": self.url}, "secrets": {"OPSLOOP_TOKEN": self.keys[role]}}
            for name, role in roles.items()
        }

    @property
    def groups(self) -> dict[str, dict[str, dict[str, str]]]:
        return {
            f"opsloop-{name}": {"plain": each["vars"], "secret": each["secrets"]}
            for name, each in self.environments.items()
        }


@pytest.fixture
def production(tmp_path: Path, port: int) -> Iterator[Production]:
    folder = tmp_path / "production"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns(".opsloop"))
    up = Up(folder, port, "--no-demo")
    try:
        up.ready()
        done = opsloop("apply", cwd=folder)
        assert done.returncode == 0, done.stderr
        yield Production(folder, up.url)
    finally:
        up.kill()


@pytest.mark.slow
def test_main_releases_what_passed_and_nothing_else(
    repository: Repository, tmp_path: Path, production: Production
) -> None:
    file = DEPLOY / "github-actions" / "main.yml"

    def pushed(name: str, commit: str) -> Workflow:
        machine = Machine(tmp_path / name)
        return Workflow(file, machine, repository.remote, commit, push_event(), production.environments)

    jobs = pushed("bad", change_badly(repository, "main")).run()
    assert jobs["evaluate"].codes[DECIDE] == 6, jobs["evaluate"].said
    assert jobs["promote"].skipped
    assert production.numbers() == [1]

    shutil.copytree(SAMPLE / "flows" / "answer", repository.work / "flows" / "answer", dirs_exist_ok=True)
    jobs = pushed("good", change_well(repository, "main")).run()
    assert not jobs["evaluate"].failed, jobs["evaluate"].said
    assert jobs["promote"].codes[RELEASE] == 0, jobs["promote"].said
    assert sorted(production.numbers()) == [1, 2]
    assert "125 of 125 rows" in (tmp_path / "good" / "artifacts" / "evaluation" / "report.md").read_text()

    served = DEPLOY / "github-actions" / "post-production.yml"
    nightly = Workflow(
        served, Machine(tmp_path / "nightly"), repository.remote, "main", push_event(), production.environments
    ).run()
    assert not nightly["evaluate"].failed, nightly["evaluate"].said


@pytest.mark.slow
def test_main_on_azure_pipelines(repository: Repository, tmp_path: Path, production: Production) -> None:
    file = DEPLOY / "azure-pipelines" / "main.yml"
    commit = change_well(repository, "main")
    machine = Machine(tmp_path / "good")
    jobs = Pipeline(file, machine, repository.remote, commit, {}, production.groups).run()
    assert not jobs["candidate"].failed, jobs["candidate"].said
    assert jobs["release"].codes[RELEASE] == 0, jobs["release"].said
    assert sorted(production.numbers()) == [1, 2]
    machine = Machine(tmp_path / "bad")
    jobs = Pipeline(file, machine, repository.remote, change_badly(repository, "main"), {}, production.groups).run()
    assert jobs["candidate"].codes[DECIDE] == 6, jobs["candidate"].said
    assert jobs["release"].skipped
    assert sorted(production.numbers()) == [1, 2]
