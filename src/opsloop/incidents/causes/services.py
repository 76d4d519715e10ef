"""Which service an incident comes from: it left its usual state, and what it calls did not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from opsloop.incidents.causes.callers import Calls, callees, distances
from opsloop.incidents.causes.models import Evidence, Suspect, SuspectKind
from opsloop.incidents.causes.standings import LEAST_SCORE, MOST_LINES, Standing, standings

PASSED_ON = 0.3
"""Share of a callee's weight that explains its caller's: the caller waits for it and hands its errors on."""
NOT_REACHED = 0.3
"""What is left of a suspicion of a service that the subjects do not call, where a call graph is known."""
SHOWN = 3


def ranked(evidence: Evidence) -> list[Suspect]:
    """Services that left their usual state, the likeliest first."""
    calls = callees(evidence.edges)
    known = {each.service: each for each in standings(evidence, calls)}
    near = distances(calls, evidence.subjects)
    found = [_suspect(each, known, calls, near) for each in known.values() if each.weight > 0]
    return sorted((each for each in found if each.score > 0), key=lambda each: (-each.score, each.subject))


def _suspect(standing: Standing, known: Mapping[str, Standing], calls: Calls, near: Mapping[str, int]) -> Suspect:
    below = [known[each] for each in calls.get(standing.service, ()) if each in known]
    worst = max(below, key=lambda each: (each.weight, each.service), default=None)
    explained = PASSED_ON * worst.weight if worst is not None else 0.0
    weight = max(0.0, standing.weight - explained)
    against: list[str] = [*standing.spared]
    if worst is not None and worst.weight > 0:
        against.append(f"{worst.service}, which it calls, left its usual state too and explains part of it")
    if calls and standing.service not in near:
        weight *= NOT_REACHED
        against.append("none of the services with symptoms calls it, as far as the call graph is known")
    for each in [each for each in standing.departures if each.was_off][:1]:
        against.append(f"{each.series.metric} stood near {each.now:.4g} before the start already")
    quiet = sum(each.score < LEAST_SCORE for each in standing.departures)
    if quiet:
        against.append(f"{quiet} of its {len(standing.departures)} metrics stayed as they were")
    return Suspect(
        SuspectKind.SERVICE,
        standing.service,
        round(1 - math.exp(-weight / 3), 4),
        tuple(_said(standing)),
        tuple(against),
    )


def _said(standing: Standing) -> Iterable[str]:
    for each in [each for each in standing.departures if each.score >= LEAST_SCORE][:SHOWN]:
        yield each.sentence
    if standing.starving is not None:
        yield standing.starving.sentence
    for line in standing.logs[:MOST_LINES]:
        usual = "that was not there before" if line.before == 0 else f"of which {line.expected or 0:.3g} were to come"
        yield f"{line.service} wrote {line.after} lines of a form {usual}: {line.template[:160]}"
