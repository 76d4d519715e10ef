"""The gate of an experiment that declares none: nothing that is measured from 0 to 1 got worse by five points.

Only what has a scale that everybody shares is judged: a latency or a cost has no margin that suits every flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsloop.evaluation.models import GateSpec, RowRecord
from opsloop.evaluation.rules import Rule

MARGIN = 0.05
"""A candidate that is worse by five points passes with a chance of alpha at most; one as good needs 59 rows to pass."""


def default_gate(records: Sequence[RowRecord]) -> GateSpec:
    """Non-inferiority within five points, on the same rows, for every metric whose figures all lie from 0 to 1.

    Args:
        records: the rows of both runs, so that a metric of which the candidate has no figure left is judged too.
    """
    metrics: dict[str, list[float]] = {}
    for each in records:
        for metric, score in each.scores.items():
            metrics.setdefault(metric, []).extend(() if score is None else (score,))
    judged = [metric for metric, found in metrics.items() if found and min(found) >= 0.0 and max(found) <= 1.0]
    return GateSpec(rules=tuple(Rule(metric, margin=MARGIN) for metric in judged))


def default_notes(spec: GateSpec, metrics: Iterable[str]) -> tuple[str, ...]:
    """What to say of a default gate; `metrics` are those that the run has."""
    judged = {rule.metric for rule in spec.rules}
    others = [metric for metric in metrics if metric not in judged]
    beside = f"; {', '.join(others)} {'is' if len(others) == 1 else 'are'} not judged" if others else ""
    return (f"the experiment declares no gate: no metric from 0 to 1 may be worse by {MARGIN:g}{beside}",)
