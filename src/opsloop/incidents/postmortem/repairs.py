"""The repairs that an incident's timeline tells of: who said yes, what was done, what was checked, how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from opsloop.incidents.models import TimelineEntry


@dataclass(frozen=True, slots=True)
class Repair:
    """Args:
    approved_by: who said yes, in order; empty when nobody was asked or nobody answered.
    by_itself: whether it acted without a yes.
    did: what it did, as a sentence; empty when it never acted.
    checked: what its checks said last, a sentence each.
    state: how it ended; empty while it goes on.
    """

    id: str
    title: str
    level: int
    proposed_at: datetime
    approved_by: tuple[str, ...] = ()
    by_itself: bool = False
    acted_at: datetime | None = None
    did: str = ""
    checked: tuple[str, ...] = ()
    ended_at: datetime | None = None
    state: str = ""
    outcome: str = ""

    @property
    def who(self) -> str:
        """Who decided, in words."""
        if self.by_itself:
            return "nobody: it acted by itself"
        return ", ".join(self.approved_by) or "nobody"


def of(timeline: Iterable[TimelineEntry]) -> tuple[Repair, ...]:
    """In the order in which they were proposed; advice that cannot act is none."""
    found: dict[str, Repair] = {}
    for entry in timeline:
        told = entry.detail if entry.kind == "remediation" else {}
        name = str(told.get("remediation", ""))
        if told.get("acts"):
            level = int(told.get("level", 0))
            found.setdefault(name, Repair(name, str(told.get("title", "")), level, entry.at))
        elif name in found:
            found[name] = _with(found[name], entry)
    return tuple(found.values())


def _with(repair: Repair, entry: TimelineEntry) -> Repair:
    told = entry.detail
    if "approved_by" in told:
        return replace(repair, approved_by=(*repair.approved_by, str(told["approved_by"])))
    if "did" in told:
        by_itself = bool(told.get("by_itself"))
        return replace(repair, acted_at=entry.at, did=str(told["did"]), by_itself=by_itself)
    if "outcome" in told:
        checked = tuple(str(each) for each in told.get("checked", ()))
        return replace(
            repair, ended_at=entry.at, state=str(told["state"]), outcome=str(told["outcome"]), checked=checked
        )
    return repair
