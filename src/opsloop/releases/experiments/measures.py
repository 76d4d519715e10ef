"""What an experiment can compare: one number of each user's first answer, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opsloop.monitoring.models import RequestRecord
from opsloop.releases.failures import has_failed

Value = Callable[[RequestRecord], float | None]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure and how it is read.

    Args:
        unit: `share` from 0 to 1, `score` from 0 to 1, or the unit of the number.
        more_is_better: which way is good.
        cap: larger values count as this one unless the plan says otherwise; 1 of shares and scores.
        of: the value of a record; None where it says nothing. None for what comes as feedback.
    """

    name: str
    title: str
    unit: str
    more_is_better: bool
    cap: float
    of: Value | None


def _error(record: RequestRecord) -> float | None:
    return None if record.status == "cancelled" else float(has_failed(record))


def _latency(record: RequestRecord) -> float | None:
    return record.duration_ms if record.status == "ok" else None


def _abstained(record: RequestRecord) -> float | None:
    return float(record.abstained) if record.status == "ok" and record.abstained is not None else None


def _tokens(record: RequestRecord) -> float | None:
    return float(record.tokens_in + record.tokens_out) if record.status == "ok" else None


def _guarded(record: RequestRecord) -> float | None:
    return None if record.status == "cancelled" else float(record.guarded)


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("satisfaction", "Satisfaction", "score", True, 1.0, None),
        Measure("error", "Errors", "share", False, 1.0, _error),
        Measure("latency", "Latency", "ms", False, 10_000.0, _latency),
        Measure("abstention", "Abstentions", "share", False, 1.0, _abstained),
        Measure("tokens", "Tokens an answer", "tokens", False, 10_000.0, _tokens),
        Measure("guarded", "Guardrail hits", "share", False, 1.0, _guarded),
    )
}
