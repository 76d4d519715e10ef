"""What a postmortem says of repairs, from the timeline alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from opsloop.incidents.models import TimelineEntry
from opsloop.incidents.postmortem import repairs

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)


def entry(minute: int, kind: str = "remediation", **detail: Any) -> TimelineEntry:
    return TimelineEntry(minute, NOON + timedelta(minutes=minute), kind, "words", "system:remediation", detail)


def test_a_repair_is_told_from_its_proposal_to_its_end() -> None:
    timeline = (
        entry(0, remediation="r1", title="Roll back", level=4, acts=True),
        entry(1, remediation="r2", title="Ask around", level=2, acts=False),
        entry(2, "note", remediation="r1"),
        entry(3, remediation="r1", approved_by="key:maria"),
        entry(4, remediation="r1", approved_by="key:ben"),
        entry(5, remediation="r1", did="back from 2 to 1", by_itself=False, state="checking"),
        entry(9, remediation="r1", state="helped", outcome="all is well", checked=["signals, better: over"]),
    )
    (found,) = repairs.of(timeline)
    assert (found.title, found.level, found.who) == ("Roll back", 4, "key:maria, key:ben")
    assert (found.proposed_at, found.acted_at, found.ended_at) == (
        NOON,
        NOON + timedelta(minutes=5),
        NOON + timedelta(minutes=9),
    )
    assert (found.did, found.state, found.checked) == ("back from 2 to 1", "helped", ("signals, better: over",))


def test_a_repair_by_itself_names_nobody() -> None:
    timeline = (
        entry(0, remediation="r1", title="Roll back", level=5, acts=True),
        entry(1, remediation="r1", did="back", by_itself=True),
    )
    (found,) = repairs.of(timeline)
    assert found.who == "nobody: it acted by itself"
    assert (found.state, found.ended_at) == ("", None)


def test_what_is_told_of_an_unknown_repair_changes_nothing() -> None:
    assert repairs.of([entry(0, remediation="r9", did="something"), entry(1)]) == ()
