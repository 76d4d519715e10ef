"""The draft as Markdown. What others wrote stays text: it makes no link, no picture and no table of its own."""

from __future__ import annotations

import re
from datetime import datetime

from opsloop.incidents.models import Incident
from opsloop.incidents.postmortem import facts
from opsloop.incidents.postmortem.repairs import Repair

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def of(incident: Incident, *, now: datetime) -> str:
    found = facts.of(incident, now=now)
    impact = "\n".join(f"| {text(name)} | {text(value)} |" for name, value in found.impact)
    phases = "\n".join(f"| {text(name)} | {text(span)} |" for name, span in found.phases)
    repairs = "\n".join(_repair(each) for each in found.repairs)
    suspects = "\n".join(
        f"{place}. **{text(each.name)}** ({each.score:.2f}): {text('; '.join(each.evidence))}"
        + (f". Against it: {text('; '.join(each.counter_evidence))}" if each.counter_evidence else "")
        for place, each in enumerate(incident.suspects, 1)
    )
    timeline = "\n".join(f"- {each.at:%Y-%m-%d %H:%M:%S}Z {each.kind}: {text(each.text)}" for each in incident.timeline)
    done = "\n".join(f"- {each.at:%H:%M:%S}Z {text(each.text)} ({text(each.by)})" for each in found.done)
    lessons = "\n".join(f"- {text(each)}" for each in found.lessons)
    return "\n\n".join(
        [
            f"# Postmortem (draft): {text(found.title)}",
            text(found.summary),
            f"## Impact\n\n| | |\n|---|---|\n{impact}",
            f"## Root cause\n\n{text(found.root_cause)}",
            f"## Suspects\n\n{suspects or 'None.'}",
            f"## How long it took\n\n| since it began | |\n|---|---|\n{phases}",
            f"## Repairs\n\n{repairs or 'None.'}",
            f"## What was done\n\n{done or 'Nothing is on the timeline.'}",
            f"## What to learn\n\n{lessons}",
            f"## Timeline\n\n{timeline}\n",
        ]
    )


def _repair(repair: Repair) -> str:
    lines = [f"- **{text(repair.title)}** (level {repair.level}), proposed at {repair.proposed_at:%H:%M:%S}Z"]
    lines.append(f"  - who said yes: {text(repair.who)}")
    if repair.acted_at is not None:
        lines.append(f"  - {repair.acted_at:%H:%M:%S}Z it did: {text(repair.did)}")
    lines += [f"  - checked: {text(each)}" for each in repair.checked]
    if repair.ended_at is not None:
        lines.append(f"  - {repair.ended_at:%H:%M:%S}Z {text(repair.state)}: {text(repair.outcome)}")
    return "\n".join(lines)


def text(given: str) -> str:
    """Text of others on one line, with Markdown's marks as letters."""
    return _MARKS.sub(r"\\\1", " ".join(given.split()))
