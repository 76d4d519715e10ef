"""GitHub, Azure DevOps and webhooks as scripted servers: what is sent, to whom, and what their answers mean."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput, NotFound
from opsloop.core.notices import signatures
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Observed, Subject
from opsloop.remediation.actions import azure_run_pipeline, github_dispatch, github_rerun, webhook_post
from opsloop.remediation.actions.action import Outside
from opsloop.remediation.errors import ActionFailed
from opsloop.remediation.models import Remediation, State
from opsloop.remediation.settings import RemediationSettings
from opsloop.remediation.webhooks.settings import Webhook, WebhookSettings
from opsloop.remediation.workflows.errors import CiAway, CiRefuses, NothingToRerun
from opsloop.remediation.workflows.settings import WorkflowSettings
from tests.integration.remediation import acting
from tests.integration.remediation.actions.scripted import Scripted, served

RUN = "/repos/acme/shop/actions/runs/77"
FLOW = "/repos/acme/shop/actions/workflows/heal.yml"
PIPELINE = "/acme/shop/_apis/pipelines/12"
HEAL = {"repository": "acme/shop", "workflow": "heal.yml", "inputs": {"unit": "web"}}
START = {"organization": "acme", "project": "shop", "pipeline": 12, "parameters": {"unit": "web"}}


@pytest.fixture
def ci(workspace: Workspace) -> Iterator[Scripted]:
    with served() as script:
        allow(workspace, script)
        script.says(f"GET {FLOW}", (200, {"id": 5, "state": "active", "updated_at": "2026-01-01"}))
        script.says(f"GET {RUN}", (200, run()))
        script.says(f"GET {PIPELINE}", (200, {"id": 12, "revision": 3, "name": "heal"}))
        script.says(f"POST {PIPELINE}/runs", (200, {"id": 9, "finalYaml": "steps: []"}))
        yield script


def allow(workspace: Workspace, script: Scripted, **settings: Any) -> None:
    known: dict[str, Any] = {
        "remediation_workflows": ["acme/shop/*"],
        "remediation_github_url": script.url,
        "remediation_github_token": "ghp_secret",
        "remediation_pipelines": ["acme/shop/12"],
        "remediation_azure_url": script.url,
        "remediation_azure_token": "pat",
    }
    acting.set_section(workspace, WorkflowSettings(**known | settings))


def run(status: str = "completed", conclusion: str | None = "failure", attempt: int = 1) -> dict[str, Any]:
    return {
        "id": 77,
        "name": "tests",
        "status": status,
        "conclusion": conclusion,
        "run_attempt": attempt,
        "head_branch": "main",
        "head_sha": "abc",
        "path": ".github/workflows/tests.yml@refs/heads/main",
    }


def failed_run(workspace: Workspace, clock: FakeClock, *, flaky: bool) -> str:
    labels = {"repository": "acme/shop", "run": "77", "branch": "main"}
    subject = Subject(service="acme/shop", labels=labels)
    seen = Observed("github", "ci", "tests", "ticket", subject, "tests of acme/shop: failure", clock.now())
    incident = acting.open_incident(workspace, seen)
    diagnosis = {"flaky": flaky, "category": "network", "root_cause": "a registry was away"}
    with workspace.writing(acting.OPERATOR) as uow:
        incidents.diagnosed(uow, incident, diagnosis, said="a registry was away")
    return incident


def proposed_rerun(workspace: Workspace, clock: FakeClock) -> Remediation:
    return acting.proposed(workspace, failed_run(workspace, clock, flaky=True), "rerun-failed-job")


def test_a_flaky_job_runs_again_and_helped_when_it_passes(workspace: Workspace, clock: FakeClock, ci: Scripted) -> None:
    asked = proposed_rerun(workspace, clock)
    assert asked.preview is not None
    assert asked.preview.changes == ("tests on main: attempt 2",)
    assert [each.method for each in ci.asked] == ["GET"]
    acting.approved(workspace, asked)
    ci.says(f"POST {RUN}/rerun-failed-jobs", (201, None))
    assert acting.stepped(workspace, asked).state is State.CHECKING
    assert ci.asked[-1].headers["authorization"] == "Bearer ghp_secret"
    ci.says(f"GET {RUN}", (200, run("in_progress", None, 2)))
    assert acting.stepped(workspace, asked).state is State.CHECKING
    ci.says(f"GET {RUN}", (200, run("completed", "success", 2)))
    done = acting.stepped(workspace, asked)
    assert done.state is State.HELPED
    assert "attempt 2 of run 77 of acme/shop: success" in done.outcome


def test_a_job_that_fails_again_has_not_helped(workspace: Workspace, clock: FakeClock, ci: Scripted) -> None:
    asked = proposed_rerun(workspace, clock)
    acting.approved(workspace, asked)
    ci.says(f"POST {RUN}/rerun-failed-jobs", (201, None))
    acting.stepped(workspace, asked)
    ci.says(f"GET {RUN}", (200, run(attempt=2)))
    clock.advance(601)
    assert acting.stepped(workspace, asked).state is State.NOT_HELPED


def test_what_is_not_called_flaky_is_not_run_again(workspace: Workspace, clock: FakeClock, ci: Scripted) -> None:
    with pytest.raises(StopIteration):
        acting.proposed(workspace, failed_run(workspace, clock, flaky=False), "rerun-failed-job")
    assert ci.asked == []


def test_a_run_that_somebody_started_again_is_left_alone(workspace: Workspace, clock: FakeClock, ci: Scripted) -> None:
    asked = proposed_rerun(workspace, clock)
    acting.approved(workspace, asked)
    ci.says(f"GET {RUN}", (200, run(attempt=2)))
    assert acting.stepped(workspace, asked).state is State.VOID
    ci.says(f"GET {RUN}", (200, run("in_progress", None)))
    with pytest.raises(NothingToRerun, match="is in_progress"):
        github_rerun.ACTION.preview(workspace, github_rerun.ACTION.parse({"repository": "acme/shop", "run": 77}))


def test_a_workflow_is_started_with_its_inputs(workspace: Workspace, ci: Scripted) -> None:
    action, parameters = github_dispatch.ACTION, github_dispatch.ACTION.parse(HEAL)
    assert action.preview(workspace, parameters).changes == ("acme/shop/heal.yml runs on main", "unit = web")
    ci.says(f"POST {FLOW}/dispatches", (204, None))
    action.act(workspace, parameters, key="k", why="w")
    assert ci.asked[-1].body == {"ref": "main", "inputs": {"unit": "web"}}
    assert not action.can_repeat


def test_a_pipeline_is_previewed_by_its_own_server_before_it_starts(workspace: Workspace, ci: Scripted) -> None:
    action, parameters = azure_run_pipeline.ACTION, azure_run_pipeline.ACTION.parse(START)
    first = action.preview(workspace, parameters).revision
    assert ci.asked[-1].body["previewRun"] is True
    assert ci.asked[-1].path.endswith("?api-version=7.1")
    assert ci.asked[-1].headers["authorization"] == "Basic " + base64.b64encode(b":pat").decode()
    done = action.act(workspace, parameters, key="k", why="w")
    assert done.sentence == "run 9 of pipeline acme/shop/12 was started, w"
    assert ci.asked[-1].body == {
        "resources": {"repositories": {"self": {"refName": "refs/heads/main"}}},
        "templateParameters": {"unit": "web"},
    }
    ci.says(f"POST {PIPELINE}/runs", (200, {"finalYaml": "steps: [{script: x}]"}))
    assert action.preview(workspace, parameters).revision != first


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((500, {}), CiAway, "500"),
        ((0, None), CiAway, "RemoteProtocolError"),
        ((422, {}), CiRefuses, "GitHub answered 422"),
        ((429, {}), CiRefuses, "429"),
        ((302, "http://127.0.0.1:1/"), CiRefuses, "302"),
        ((404, {}), NotFound, "has no the start of workflow|or the token may not see it"),
    ],
)
def test_what_an_answer_means(
    workspace: Workspace, ci: Scripted, answer: tuple[int, Any], error: type[Exception], said: str
) -> None:
    ci.says(f"POST {FLOW}/dispatches", answer)
    with pytest.raises(error, match=said) as raised:
        github_dispatch.ACTION.act(workspace, github_dispatch.ACTION.parse(HEAL), key="k", why="w")
    assert "ghp_secret" not in str(raised.value)


def test_only_workflows_of_the_settings_are_started(workspace: Workspace, ci: Scripted) -> None:
    allow(workspace, ci, remediation_workflows=["acme/shop/other.yml"], remediation_pipelines=["acme/shop/1"])
    tries: tuple[tuple[Outside[Any], dict[str, Any]], ...] = (
        (github_dispatch.ACTION, HEAL),
        (azure_run_pipeline.ACTION, START),
    )
    for action, given in tries:
        with pytest.raises(Denied, match="not among those that repairs may start"):
            action.preview(workspace, action.parse(given))
        with pytest.raises(Denied):
            action.act(workspace, action.parse(given), key="k", why="w")
    assert ci.asked == []
    rerun = github_rerun.ACTION
    with pytest.raises(Denied, match=r"acme/shop/tests\.yml"):
        rerun.act(workspace, rerun.parse({"repository": "acme/shop", "run": 77}), key="k", why="w")
    assert [each.method for each in ci.asked] == ["GET"]
    allow(workspace, ci, remediation_github_token=None)
    with pytest.raises(InvalidInput, match="setting remediation_github_token"):
        github_dispatch.ACTION.preview(workspace, github_dispatch.ACTION.parse(HEAL))


@pytest.mark.parametrize("name", ["acme", "../x/y", "acme/shop/../../user", "acme/sh op", "-a/b", "acme/shop?x=1"])
def test_a_name_that_would_be_another_address_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="repository"):
        github_dispatch.ACTION.parse(HEAL | {"repository": name})


@pytest.fixture
def hook(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    monkeypatch.setenv("HEAL_SECRET", "s3cret")
    with served() as script:
        webhook = Webhook(url=f"{script.url}/heal/T0KEN", secret="${env:HEAL_SECRET}")
        acting.set_section(workspace, WebhookSettings(remediation_webhooks={"heal": webhook}))
        acting.set_section(workspace, RemediationSettings(remediation_tick_s=0.001))
        yield script


def test_a_webhook_is_signed_and_has_one_key_at_each_try(workspace: Workspace, hook: Scripted) -> None:
    action, parameters = webhook_post.ACTION, webhook_post.ACTION.parse({"webhook": "heal", "payload": {"unit": "web"}})
    shown = action.preview(workspace, parameters)
    assert "T0KEN" not in str(shown)
    assert hook.asked == []
    hook.says("POST /heal/T0KEN", (503, {}), (0, None), (202, {}))
    action.act(workspace, parameters, key="remediation_1", why="for incident 7")
    assert [each.headers["idempotency-key"] for each in hook.asked] == ["remediation_1"] * 3
    last = hook.asked[-1]
    signature = last.headers[signatures.HEADER.lower()]
    assert signatures.is_stamped("s3cret", last.raw, signature, workspace.clock.now())
    assert last.body["payload"] == {"unit": "web"}
    assert action.can_repeat


def test_a_webhook_that_says_no_or_nothing(workspace: Workspace, hook: Scripted) -> None:
    action, parameters = webhook_post.ACTION, webhook_post.ACTION.parse({"webhook": "heal"})
    hook.says("POST /heal/T0KEN", (403, {}))
    with pytest.raises(ActionFailed, match="answered 403"):
        action.act(workspace, parameters, key="k", why="w")
    assert len(hook.asked) == 1
    hook.says("POST /heal/T0KEN", (500, {}))
    with pytest.raises(webhook_post.WebhookAway, match="answered 500") as raised:
        action.act(workspace, parameters, key="k", why="w")
    assert len(hook.asked) == 4
    assert "T0KEN" not in str(raised.value)
    with pytest.raises(NotFound, match="no webhook named 'other'"):
        action.preview(workspace, action.parse({"webhook": "other"}))
