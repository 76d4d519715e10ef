"""Which change an incident comes from: shortly before the start, at the place, with a way to do it, and measured.

score = nearness x scope x mechanism x effect, each from 0 to 1. Nearness halves every two hours. Most incidents of
services follow a change (B. Beyer et al., Site Reliability Engineering, 2016, chapter 8: about 70 %), which is why a
change near the start is named also where nothing could be measured; what was measured then decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsloop.incidents.causes.callers import callees, distances
from opsloop.incidents.causes.models import (
    Change,
    ChangeKind,
    Evidence,
    ReleaseTraffic,
    Suspect,
    SuspectKind,
)
from opsloop.incidents.causes.scores import two_rates

HALF_LIFE = timedelta(hours=2)
LATE = timedelta(minutes=2)
"""A change this much after the start may still be the cause: clocks and intervals are not that exact."""
MECHANISM = {
    ChangeKind.RELEASE: 1.0,
    ChangeKind.DEPLOYMENT: 1.0,
    ChangeKind.MODEL: 0.9,
    ChangeKind.PROMPT: 0.9,
    ChangeKind.COLLECTION: 0.7,
    ChangeKind.GUARDRAILS: 0.7,
    ChangeKind.LIMIT: 0.6,
    ChangeKind.CONFIG: 0.6,
    ChangeKind.DATA: 0.5,
    ChangeKind.SCHEDULE: 0.3,
}
SAME, BEHIND, ELSEWHERE, UNRELATED = 1.0, 0.7, 0.3, 0.05
CONFIRMED, OPEN, REFUTED = 1.0, 0.6, 0.1
WAS_FINE = 0.3
"""What is left of a release that answered well until the start, and then failed: something else began there."""
SURE_Z = 3.0
LEAST_REQUESTS = 20
SLOWER = 1.5
"""Times the latency before that counts as slower."""


@dataclass(frozen=True, slots=True)
class Found:
    """One factor of the score with the sentences for and against."""

    factor: float
    evidence: tuple[str, ...] = ()
    counter_evidence: tuple[str, ...] = ()


def ranked(evidence: Evidence) -> list[Suspect]:
    """Changes that may be the cause, the likeliest first."""
    found = [_suspect(each, evidence) for each in _last_of_each(evidence) if each.at <= evidence.started_at + LATE]
    return sorted((each for each in found if each.score > 0), key=lambda each: (-each.score, each.subject))


def _last_of_each(evidence: Evidence) -> list[Change]:
    """Of what was changed several times before the start the newest; what went on after it changed nothing of it."""
    last: dict[tuple[str, ChangeKind], Change] = {}
    for change in sorted(evidence.changes, key=lambda each: each.at):
        if change.at <= evidence.started_at + LATE:
            last[change.subject, change.kind] = change
    return list(last.values())


def _suspect(change: Change, evidence: Evidence) -> Suspect:
    parts = (_nearness(change, evidence.started_at), _scope(change, evidence), _effect(change, evidence))
    score = MECHANISM[change.kind]
    for part in parts:
        score *= part.factor
    return Suspect(
        SuspectKind.CHANGE,
        change.subject,
        round(score, 4),
        (_named(change), *(said for part in parts for said in part.evidence)),
        tuple(said for part in parts for said in part.counter_evidence),
        change,
    )


def _named(change: Change) -> str:
    became = f" from {change.before} to {change.after}" if change.before and change.after else ""
    alone = f" to {change.after}" if change.after and not change.before else ""
    return f"{change.action} of {change.subject}{became}{alone} by {change.by} at {change.at.isoformat('T', 'seconds')}"


def _nearness(change: Change, started_at: datetime) -> Found:
    lag = started_at - change.at
    if lag < timedelta(0):
        return Found(0.8, (), (f"it came {_lasted(-lag)} after the start as it is known",))
    factor = 0.5 ** (lag / HALF_LIFE)
    said = f"it came {_lasted(lag)} before the start"
    return Found(factor, (said,)) if factor >= 0.5 else Found(factor, (), (f"{said}, long for a cause",))


def _lasted(span: timedelta) -> str:
    seconds = span.total_seconds()
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _scope(change: Change, evidence: Evidence) -> Found:
    subjects = set(evidence.subjects)
    place = change.subject.split("@")[0]
    names = {place, place.rpartition("/")[2]}
    if names & subjects:
        return Found(SAME, (f"{place} is where the symptoms are",))
    behind = distances(callees(evidence.edges), evidence.subjects)
    if names & set(behind):
        return Found(BEHIND, (f"what has the symptoms depends on {place}",))
    if "/" not in place or place.startswith(
        ("schedule/", "limit/", "collection/", "dataset/", "model/", "preparation/")
    ):
        return Found(ELSEWHERE, (), (f"nothing known says that the symptoms depend on {place}",))
    return Found(UNRELATED, (), (f"{place} is another place than the symptoms'",))


def _effect(change: Change, evidence: Evidence) -> Found:
    """Compare releases side by side for a change of release, else the subjects' traffic before and after it."""
    if change.kind is not ChangeKind.RELEASE:
        return Found(OPEN)
    mine = [each for each in evidence.releases if each.subject == change.subject]
    new = next((each for each in mine if each.release == change.after), None)
    old = _one_before(mine, new, change)
    if new is None or new.requests < LEAST_REQUESTS:
        asked = 0 if new is None else new.requests
        return Found(OPEN, (), (f"only {asked} requests of what it brought were seen: its effect is not measured",))
    if _was_fine(new):
        said = f"release {new.release} failed {new.errors_before} of {new.requests_before} requests until the start"
        return Found(WAS_FINE, (_rate(new),), (f"{said}: it did well before",))
    if old is None or old.requests < LEAST_REQUESTS:
        return Found(OPEN, (_rate(new),), ("nothing that it replaced was seen to compare with",))
    return _compared(new, old, evidence.started_at)


def _was_fine(new: ReleaseTraffic) -> bool:
    """It had requests before the start, and failed less then than since."""
    requests, errors = new.requests - new.requests_before, new.errors - new.errors_before
    if new.requests_before < LEAST_REQUESTS:
        return False
    return two_rates(errors, requests, new.errors_before, new.requests_before) >= SURE_Z


def _one_before(mine: list[ReleaseTraffic], new: ReleaseTraffic | None, change: Change) -> ReleaseTraffic | None:
    """The release that was replaced: the named one, else the one with most requests among those that began before."""
    others = [each for each in mine if each is not new]
    named = next((each for each in others if each.release == change.before), None)
    earlier = [each for each in others if new is None or each.first_at <= new.first_at]
    return named or max(earlier, key=lambda each: each.requests, default=None)


def _rate(traffic: ReleaseTraffic) -> str:
    return (
        f"release {traffic.release} failed {traffic.errors} of {traffic.requests} requests "
        f"({100 * traffic.error_rate:.1f} %)"
    )


def _compared(new: ReleaseTraffic, old: ReleaseTraffic, started_at: datetime) -> Found:
    z = two_rates(new.errors, new.requests, old.errors, old.requests)
    side = f"{_rate(new)}, {_rate(old)} before it (z = {z:.1f})"
    said: list[str] = []
    against: list[str] = []
    (said if z >= SURE_Z else against).append(side)
    slower = new.latency_ms / old.latency_ms if new.latency_ms and old.latency_ms else None
    if slower is not None:
        latency = f"its answers took {new.latency_ms:.0f} ms on average, {old.latency_ms:.0f} ms before it"
        (said if slower >= SLOWER else against).append(latency)
    if old.last_at > started_at and old.errors and z < SURE_Z:
        against.append(f"release {old.release} failed as well after the start")
        return Found(REFUTED, tuple(said), tuple(against))
    return Found(CONFIRMED if said else OPEN, tuple(said), tuple(against))
