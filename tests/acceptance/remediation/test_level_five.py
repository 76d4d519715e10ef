"""`opsloop drill` on the sample project: drift, incident, diagnosis, repair by earned autonomy, check, postmortem.

And the twin, in which the repair makes things worse and is undone by itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.loop.test_readme import missing_from, shown_in
from tests.acceptance.up import Up

DRILL_S = 600.0
PAGE = "docs/how-to/run-a-drill.md"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_rollback_that_earned_it_acts_by_itself(project: Path, port: int, started: list[Up]) -> None:
    run = drilled(project, port, started)
    assert missing_from(run.said, shown_in(PAGE, "opsloop drill")) == []
    repairs = rollbacks(run.url)
    assert [(each["level"], each["needed"], each["state"]) for each in repairs] == [
        *[(4, 1, "helped")] * 3,
        (5, 0, "helped"),
    ]
    assert [len(each["votes"]) for each in repairs] == [1, 1, 1, 0]
    last = repairs[-1]
    assert {each["check"]: each["verdict"] for each in last["findings"]} == {"requests": "same", "alarms": "better"}
    for number, repair in enumerate(repairs, 2):
        names_the_release(run.url, repair["incident"], number)
    assert ask(run.url, "/api/endpoints/handover")["stable"]["number"] == 1
    standing = of_rollback(run.url)
    assert (standing["level"], standing["missing"]) == (5, []), standing
    assert standing["record"]["since_failure"] == 4
    is_on_record(run.url, last["id"])
    postmortem_tells(
        project,
        "drift",
        "suspect endpoint/handover, release 5",
        "Roll back the release to blame",
        "back from release 5 to 1",
        "helped",
        "closed as cause",
    )
    ends(project, run)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_that_makes_things_worse_is_undone_by_itself(project: Path, port: int, started: list[Up]) -> None:
    run = drilled(project, port, started, "--worse")
    assert missing_from(run.said, shown_in(PAGE, "opsloop drill --worse")) == []
    last = rollbacks(run.url)[-1]
    assert (last["level"], last["votes"], last["state"]) == (5, [], "undone")
    assert last["outcome"].startswith("it got worse: drift alarm after it: waited looks "), last
    names_the_release(run.url, last["incident"], 5)
    assert ask(run.url, "/api/endpoints/handover")["stable"]["number"] == 5
    standing = of_rollback(run.url)
    assert (standing["level"], standing["record"]["failures"]) == (3, 1)
    assert "3 more verified successes after its failure" in standing["missing"][0]
    is_on_record(run.url, last["id"])
    postmortem_tells(project, "drift", "back from release 5 to 1", "it got worse", "from release 1 to 5 again")
    ends(project, run)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_drill_that_goes_otherwise_says_how_and_ends_with_code_6(project: Path, port: int, started: list[Up]) -> None:
    held = '{"roll-back-release": 2}'
    run = Up(project, port, "--once", command="drill", OPSLOOP_REMEDIATION_LEVELS=held)
    started.append(run)
    assert run.ended(within_s=DRILL_S) == 6
    assert "the drill did not go as it should: roll-back-release has level 2, not 4: the setting" in run.said


def drilled(project: Path, port: int, started: list[Up], *more: str) -> Up:
    run = Up(project, port, *more, command="drill")
    started.append(run)
    said = run.wait_for("Ctrl-C stops it", timeout_s=DRILL_S)
    assert "The drill is over, and all went as it should." in said
    assert re.search(r"rehearsal +back from release 2 to 1, ", said), said
    asked = re.search(r"serve +([\d,]+) rows asked over HTTP, 0 not answered", said)
    assert asked is not None, said
    assert int(asked[1].replace(",", "")) > 500
    return run


def ask(url: str, path: str) -> Any:
    answer = httpx.get(f"{url}{path}", trust_env=False, timeout=30.0)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rollbacks(url: str) -> list[dict[str, Any]]:
    """Repairs by roll-back-release, the first one first; rehearsals aside."""
    items = ask(url, "/api/remediations?limit=1000")["items"]
    found = [each for each in items if each["playbook"] == "roll-back-release" and not each["is_rehearsal"]]
    return sorted(found, key=lambda each: str(each["asked_at"]))


def of_rollback(url: str) -> dict[str, Any]:
    items = ask(url, "/api/remediations/playbooks")["items"]
    return dict(next(each for each in items if each["playbook"] == "roll-back-release"))


def names_the_release(url: str, incident: str, number: int) -> None:
    found = ask(url, f"/api/incidents/{incident}")
    first = found["suspects"][0]
    assert (first["name"], first["kind"]) == (f"endpoint/handover, release {number}", "release"), found["suspects"]
    assert first["evidence"]
    assert first["counter_evidence"]
    assert (found["state"], found["cause"]) == ("closed", first["name"])


def is_on_record(url: str, repair: str) -> None:
    """Proposed, acted and ended, and nobody's vote between."""
    items = reversed(ask(url, "/api/audit?target=endpoint/handover&limit=500")["items"])
    actions = [each["action"] for each in items if each["detail"].get("remediation") == repair]
    assert actions == ["remediation.proposed", "remediation.acted", "remediation.ended"]


def postmortem_tells(project: Path, *steps: str) -> None:
    """What happened, in order, in both forms."""
    [folder] = (project / ".opsloop" / "drills").iterdir()
    for form in ("md", "html"):
        report = (folder / f"postmortem.{form}").read_text()
        assert "nobody: it acted by itself" in report
        timeline = report[report.index("Timeline") :]
        places = [timeline.index(each) for each in steps]
        assert places == sorted(places), timeline


def ends(project: Path, run: Up) -> None:
    """Its record holds, it stops as a platform does, and the project's own platform was never touched."""
    assert ask(run.url, "/api/audit/verify")["ok"]
    assert run.stop() == 0, run.said[-4_000:]
    assert [each.name for each in (project / ".opsloop").iterdir()] == ["drills"]
