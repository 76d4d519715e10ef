"""What a postmortem says, whatever it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsloop.incidents.models import ClosedAs, Incident, IncidentState, TimelineEntry
from opsloop.incidents.postmortem import repairs
from opsloop.incidents.postmortem.repairs import Repair

DONE = ("acknowledged", "remediation", "note", "mitigated")


@dataclass(frozen=True, slots=True)
class Facts:
    """Args:
    impact: names and figures, in order.
    root_cause: a sentence.
    phases: names and spans, from the first signal on, each from the begin of the trouble.
    repairs: that were proposed and could act.
    done: lines of the timeline that tell what people and the platform did.
    lessons: questions and findings to begin from.
    """

    title: str
    summary: str
    impact: tuple[tuple[str, str], ...]
    root_cause: str
    phases: tuple[tuple[str, str], ...]
    repairs: tuple[Repair, ...]
    done: tuple[TimelineEntry, ...]
    lessons: tuple[str, ...]


def of(incident: Incident, *, now: datetime) -> Facts:
    return Facts(
        title=incident.title,
        summary=_summary(incident, now),
        impact=tuple(_impact(incident, now)),
        root_cause=_root_cause(incident),
        phases=tuple(_phases(incident)),
        repairs=repairs.of(incident.timeline),
        done=tuple(each for each in incident.timeline if each.kind in DONE),
        lessons=tuple(_lessons(incident)),
    )


def minutes(incident: Incident, now: datetime) -> float:
    """How long it went on: from its first signal to the end of the last, or until now."""
    began = min([each.started_at for each in incident.signals], default=incident.opened_at)
    over = incident.mitigated_at or incident.closed_at or now
    return max((over - began).total_seconds() / 60, 0.0)


def _summary(incident: Incident, now: datetime) -> str:
    about = ", ".join(incident.subjects) or "no named subject"
    return (
        f"{incident.title}: {incident.signal_count} signals about {about} over {minutes(incident, now):.0f} minutes; "
        f"it is {incident.state.value}."
    )


def _impact(incident: Incident, now: datetime) -> list[tuple[str, str]]:
    began = min([each.started_at for each in incident.signals], default=incident.opened_at)
    found = [
        ("began", _at(began)),
        ("opened", _at(incident.opened_at)),
        ("lasted", f"{minutes(incident, now):.1f} minutes"),
        ("signals", f"{incident.signal_count}, told {incident.told_count} times"),
    ]
    if incident.acknowledged_at is not None:
        found.append(("until somebody dealt with it", _span(incident.opened_at, incident.acknowledged_at)))
    if incident.mitigated_at is not None:
        found.append(("until its signals were over", _span(incident.opened_at, incident.mitigated_at)))
    found += [
        (f"requests of {each.endpoint}", each.sentence.removeprefix(f"{each.endpoint}: ")) for each in incident.impact
    ]
    for signal in incident.signals[:20]:
        found += [(f"{signal.name}, {name}", f"{value:g}") for name, value in sorted(signal.numbers.items())]
    return found


def _phases(incident: Incident) -> list[tuple[str, str]]:
    """Since the trouble began: when it was detected, named, repaired, over, and closed; what never came is left out."""
    began = min([each.started_at for each in incident.signals], default=incident.opened_at)
    named = next((each.at for each in incident.timeline if each.kind == "suspect" and "suspect" in each.detail), None)
    acted = [each.acted_at for each in repairs.of(incident.timeline) if each.acted_at is not None]
    phases = (
        ("detected", incident.opened_at),
        ("a suspect named", named),
        ("repaired", min(acted, default=None)),
        ("its signals over", incident.mitigated_at),
        ("closed", incident.closed_at),
    )
    return [(name, _span(began, at)) for name, at in phases if at is not None]


def _root_cause(incident: Incident) -> str:
    if incident.closed_as is ClosedAs.FALSE_ALARM:
        return f"None: it was a false alarm. {incident.cause}".strip()
    if incident.closed_as is not None:
        return incident.cause
    if incident.suspects:
        first = incident.suspects[0]
        return f"Not confirmed. The first suspect is {first.name} ({first.score:.2f}): {'; '.join(first.evidence)}"
    return "Not known yet."


def _lessons(incident: Incident) -> list[str]:
    found = []
    if incident.acknowledged_at is None and incident.state is IncidentState.CLOSED:
        found.append("Nobody acknowledged it before it was closed: who should have been told, and how?")
    flapping = [each.name for each in incident.signals if each.flaps >= 3]
    if flapping:
        found.append(
            f"Signals that came and went: {', '.join(sorted(set(flapping)))}. Do their rules wait long enough?"
        )
    for each in incident.similar[:3]:
        found.append(
            f"It was like {each.incident} ({each.closed_as.value}: {each.cause or 'no words'}): what was left undone?"
        )
    if incident.closed_as is ClosedAs.CAUSE and incident.suspects:
        names = [each.name for each in incident.suspects]
        if incident.cause in names:
            found.append(f"The cause was suspect {names.index(incident.cause) + 1} of {len(names)}.")
        else:
            found.append("The cause was not among the suspects: which telemetry would have shown it?")
    found.append("What would have prevented it, found it sooner, or made it smaller?")
    return found


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _span(since: datetime, until: datetime) -> str:
    return f"{max((until - since).total_seconds(), 0.0) / 60:.1f} minutes"
