"""Drift, incident, diagnosis, repair: three times with a person's yes, then by itself, then one that is undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.remediation.platform import Platform


@pytest.fixture
def platform(tmp_path: Path, port: int) -> Iterator[Platform]:
    found = Platform(tmp_path, port)
    yield found
    found.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_rollback_that_earned_it_acts_by_itself_and_loses_that_when_it_makes_things_worse(platform: Platform) -> None:
    assert platform.standing()["level"] == 4
    known: set[str] = set()
    for turn in range(3):
        number = platform.release_wrong()
        if turn == 0:
            rehearsed = platform.type("remediation", "rehearse", "roll-back-release", "--set", "endpoint=signs",
                                      "--set", f"release={number}")  # fmt: skip
            assert "is rehearsed" in rehearsed
            assert platform.serves() == number
        known.add(approved(platform, number, known))
    standing = platform.standing()
    assert (standing["level"], standing["missing"]) == (5, []), standing
    assert standing["record"]["since_failure"] == 3
    known.add(by_itself(platform, known))
    the_record_holds(platform)
    worse(platform, known)
    the_record_holds(platform)


def approved(platform: Platform, number: int, known: set[str]) -> str:
    """One incident, repaired after a person said yes."""
    incident = platform.incident(other_than=known)
    names_the_release(incident, number)
    repair = platform.repair(incident["id"])
    assert (repair["state"], repair["level"]) == ("proposed", 4)
    assert platform.serves() == number
    platform.send(f"/api/remediations/{repair['id']}/approve", {"digest": repair["digest"], "reason": "as ever"})
    helped = platform.in_state(repair["id"], "helped")
    assert helped["findings"][-1]["verdict"] == "better", helped["findings"]
    assert platform.serves() == 1
    closed(platform, incident["id"], number)
    return str(incident["id"])


def by_itself(platform: Platform, known: set[str]) -> str:
    number = platform.release_wrong()
    incident = platform.incident(other_than=known)
    names_the_release(incident, number)
    repair = platform.repair(incident["id"])
    assert (repair["level"], repair["needed"], repair["votes"]) == (5, 0, [])
    helped = platform.in_state(repair["id"], "helped")
    assert platform.serves() == 1
    assert {each["check"]: each["verdict"] for each in helped["findings"]} == {"requests": "same", "alarms": "better"}
    platform.until(
        lambda: platform.ask(f"/api/incidents/{incident['id']}")["state"] == "mitigated", what="a mitigated incident"
    )
    closed(platform, incident["id"], number)
    postmortem_tells(platform, incident["id"], number)
    actions = [
        each["action"]
        for each in reversed(platform.ask("/api/audit?target=endpoint/signs&limit=500")["items"])
        if each["detail"].get("remediation") == repair["id"]
    ]
    assert actions == ["remediation.proposed", "remediation.acted", "remediation.ended"]
    return str(incident["id"])


def worse(platform: Platform, known: set[str]) -> None:
    """The twin: callers send other rows from the moment it acted on, which the earlier release never saw."""
    number = platform.release_wrong()
    incident = platform.incident(other_than=known)
    repair = platform.repair(incident["id"])
    assert repair["level"] == 5
    platform.until(lambda: platform.serves() == 1, what="the repair that acts by itself")
    platform.moved = True
    undone = platform.in_state(repair["id"], "undone")
    assert undone["outcome"].startswith("it got worse: drift alarm after it"), undone
    assert platform.serves() == number
    standing = platform.standing()
    assert (standing["level"], standing["record"]["failures"]) == (3, 1)
    assert "3 more verified successes after its failure" in standing["missing"][0]
    platform.until(
        lambda: platform.ask(f"/api/incidents/{incident['id']}")["state"] == "mitigated", what="a mitigated incident"
    )
    closed(platform, incident["id"], number)
    report = platform.text(f"/api/incidents/{incident['id']}/report?format=md")
    assert "it got worse" in report


def names_the_release(incident: dict[str, Any], number: int) -> None:
    first = incident["suspects"][0]
    assert (first["name"], first["kind"]) == (f"endpoint/signs, release {number}", "release"), incident["suspects"]
    assert first["evidence"]
    assert first["counter_evidence"]


def closed(platform: Platform, incident: str, number: int) -> None:
    platform.type("incident", "close", incident, "--as", f"endpoint/signs, release {number}")


def postmortem_tells(platform: Platform, incident: str, number: int) -> None:
    """What happened, in order, in both forms."""
    steps = ("drift", f"suspect endpoint/signs, release {number}", "Roll back the release to blame",
             f"back from release {number} to 1", "helped", "closed as cause")  # fmt: skip
    for form in ("md", "html"):
        report = platform.type("incident", "report", incident, "--format", form)
        assert "nobody: it acted by itself" in report
        timeline = report[report.index("Timeline") :]
        places = [timeline.index(each) for each in steps]
        assert places == sorted(places), timeline


def the_record_holds(platform: Platform) -> None:
    platform.type("audit", "verify")
