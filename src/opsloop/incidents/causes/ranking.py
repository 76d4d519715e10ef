"""Rank what an incident may come from, or say that nothing stands out."""

from __future__ import annotations

from opsloop.incidents.causes import services, suspected_changes
from opsloop.incidents.causes.models import Evidence, Ranking, Suspect

LEAST_CHANGE = 0.2
LEAST_SERVICE = 0.3
MOST = 10
RIVAL = 0.5
"""Share of the best score from which another service is as good a suspect, where no call graph tells them apart."""


def rank(evidence: Evidence) -> Ranking:
    """Suspects, the likeliest first; none, with the reason, where nothing stands out.

    A change and a service are on one scale from 0 to 1. Without enough to tell, an answer would only mislead: noise
    that is loud and unrelated has a name as well.
    """
    changes = [each for each in suspected_changes.ranked(evidence) if each.score >= LEAST_CHANGE]
    found = [each for each in services.ranked(evidence) if each.score >= LEAST_SERVICE]
    if not changes and _cannot_be_told_apart(evidence, found):
        said = f"{len(found)} services left their usual state and no call graph is known: any of them may be the first"
        return Ranking((), said)
    suspects = sorted((*changes, *found), key=_order)[:MOST]
    if suspects:
        return Ranking(tuple(suspects))
    return Ranking((), _why_none(evidence))


def _cannot_be_told_apart(evidence: Evidence, found: list[Suspect]) -> bool:
    """Without a call graph a service is named that has the symptoms itself, or that has no rival."""
    if evidence.edges or len(found) < 2 or found[0].subject in evidence.subjects:
        return False
    return found[1].score >= RIVAL * found[0].score


def _order(suspect: Suspect) -> tuple[float, str, str]:
    return (-suspect.score, suspect.kind, suspect.subject)


def _why_none(evidence: Evidence) -> str:
    seen = (
        f"{len(evidence.series)} metrics, {len(evidence.logs)} forms of log lines, "
        f"{len(evidence.changes)} changes were looked at"
    )
    return f"nothing stands out around the start: {seen}, and none left what is usual or came near in time and place"
