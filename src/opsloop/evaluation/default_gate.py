"""The gate of an experiment that declares none: nothing that is measured from 0 to 1 got worse by five points.

Only what has a scale that everybody shares is judged: a latency or a cost has no margin that suits every flow.
"""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.evaluation.models import GateSpec, RowRecord
from opsloop.evaluation.rules import Rule

MARGIN = 0.05
"""A candidate that is worse by five points passes with a chance of alpha at most; one as good needs 59 rows to pass."""


def default_gate(records: Sequence[RowRecord]) -> GateSpec:
    """Non-inferiority within five points, on the same rows, for every metric whose figures all lie from 0 to 1."""
    metrics: dict[str, list[float]] = {}
    for each in records:
        for metric, score in each.scores.items():
            metrics.setdefault(metric, []).extend(() if score is None else (score,))
    judged = [metric for metric, found in metrics.items() if found and min(found) >= 0.0 and max(found) <= 1.0]
    return GateSpec(rules=tuple(Rule(metric, margin=MARGIN) for metric in judged))
