"""The same panels from our own store: from the tallies, and drift scores from the predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.dashboards.models import Dashboard, PanelLine, PanelSeries, Values
from opsloop.monitoring.dashboards.panels import PANELS
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.objectives import service as objectives
from opsloop.monitoring.objectives.declaration import LIMITS_MS
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.objectives.tallying import TOKENS, within
from opsloop.monitoring.predictions import series as predictions

WINDOWS = {3_600: 60, 21_600: 300, 86_400: 1_200, 604_800: 10_800, 2_592_000: 43_200}
"""Windows in seconds, and the step that each is cut into."""


def read(uow: UnitOfWork, endpoint: str | None, window_s: int) -> Dashboard:
    """Raises: InvalidInput for another window than those of `WINDOWS`."""
    uow.by.require(Role.VIEWER)
    if window_s not in WINDOWS:
        raise InvalidInput(field="window", value=window_s, wanted=f"one of {', '.join(map(str, WINDOWS))} seconds")
    step_s, until = WINDOWS[window_s], uow.clock.now()
    last = instant_of(microseconds(until) // (step_s * 1_000_000) * step_s * 1_000_000)
    starts = [last - timedelta(seconds=step_s * back) for back in range(window_s // step_s - 1, -1, -1)]
    measures = (
        *(str(each) for each in (Measure.AVAILABILITY, Measure.MEAN_LATENCY, Measure.SATISFACTION, Measure.QUALITY)),
        TOKENS,
        *map(within, LIMITS_MS),
    )
    named = endpoint if endpoint is None or "\0" not in endpoint else ""
    found = objectives.minutes(uow, named, measures, since=starts[0], until=until, step_s=step_s)
    lines = _lines(found, starts, step_s)
    lines["drift"] = _drift(uow, named, window_s, starts, step_s)
    shown = [each for each in PANELS if lines.get(each.key)]
    panels = tuple(PanelSeries(each.key, each.title, each.said, tuple(lines[each.key])) for each in shown)
    return Dashboard(endpoint, window_s, step_s, tuple(starts), panels)


def _lines(
    found: Mapping[str, Mapping[datetime, Tally]], starts: Sequence[datetime], step_s: int
) -> dict[str, list[PanelLine]]:
    def of(measure: str) -> list[Tally]:
        return [found[measure].get(start, Tally()) for start in starts]

    def shares(measure: str) -> Values:
        return tuple(each.good / each.total if each.total > 0 else None for each in of(measure))

    asked, answered = of(Measure.AVAILABILITY), of(Measure.MEAN_LATENCY)
    return {
        "requests": [PanelLine("requests", tuple(each.total / step_s for each in asked))],
        "errors": [PanelLine("errors", tuple(each.bad / each.total if each.total else None for each in asked))],
        "latency": [
            PanelLine("mean", tuple(each.amount / each.total if each.total else None for each in answered)),
            PanelLine("p95", tuple(_p95(found, start) for start in starts)),
        ],
        "tokens": [PanelLine("tokens", tuple(each.amount / step_s for each in of(TOKENS)))],
        "satisfaction": [PanelLine("satisfied", shares(Measure.SATISFACTION))],
        "quality": [PanelLine("passed", shares(Measure.QUALITY))],
    }


def _p95(found: Mapping[str, Mapping[datetime, Tally]], start: datetime) -> float | None:
    """Milliseconds, between the edges of the bucket that it falls into, as Prometheus' `histogram_quantile` does it."""
    below_ms, below = 0.0, 0
    for limit_ms in LIMITS_MS:
        tally = found[within(limit_ms)].get(start)
        if tally is None or not tally.total:
            return None
        wanted = 0.95 * tally.total
        if tally.good >= wanted:
            inside = tally.good - below
            return below_ms + (limit_ms - below_ms) * ((wanted - below) / inside if inside else 1.0)
        below_ms, below = float(limit_ms), tally.good
    return below_ms


def _drift(
    uow: UnitOfWork, endpoint: str | None, window_s: int, starts: Sequence[datetime], step_s: int
) -> list[PanelLine]:
    """The highest score of each step; only of one endpoint, for scores of several have no common meaning."""
    if endpoint is None:
        return []
    highest: dict[int, float] = {}
    for point in predictions.scores(uow, endpoint, window_s=window_s, points=len(starts)):
        at = int((point.at - starts[0]).total_seconds() // step_s)
        if point.score is not None:
            highest[at] = max(highest.get(at, 0.0), point.score)
    return [PanelLine("score", tuple(highest.get(at) for at in range(len(starts))))]
