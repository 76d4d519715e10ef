"""Bars and lines of the page on drift, as SVG figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.console import charts, words
from opsloop.console.charts import Chart, Line, Mark, Span
from opsloop.monitoring.alarms.models import Alarm
from opsloop.monitoring.drift.reports import Bin, Course, FeatureScore
from opsloop.monitoring.performance.reports import Figure, ReleasePerformance
from opsloop.monitoring.predictions.models import ScorePoint

MOST_MARKS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """Evidence of one feature. `width` is in percent of the drawing, of which an alarm takes `threshold`."""

    name: str
    width: str
    figure: str
    is_over: bool
    threshold: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One bin of a distribution: heights in percent of the largest, and what they are."""

    label: str
    x: float
    width: float
    reference: float
    now: float
    said: str


def bars(features: Sequence[FeatureScore]) -> tuple[Bar, ...]:
    """The scale ends a little beyond an alarm, or at the largest score."""
    top = max([1.2, *(each.score for each in features)])
    return tuple(
        Bar(
            name=each.feature,
            width=f"{100 * max(each.score, 0) / top:.1f}%",
            figure="<0.01" if 0 < each.score < 0.005 else f"{each.score:.2f}",
            is_over=each.score >= 1,
            threshold=f"{100 / top:.1f}%",
        )
        for each in features
    )


def pairs(bins: Sequence[Bin]) -> tuple[Pair, ...]:
    top = max([*(each.reference for each in bins), *(each.now for each in bins), 1e-9])
    width = 100 / max(len(bins), 1)
    return tuple(
        Pair(
            label=each.label,
            x=round(place * width, 3),
            width=round(width, 3),
            reference=round(100 * each.reference / top, 2),
            now=round(100 * each.now / top, 2),
            said=f"{each.label}: {words.percent(each.reference)} then, {words.percent(each.now)} now",
        )
        for place, each in enumerate(bins)
    )


def score_chart(found: Sequence[ScorePoint], span: Span) -> Chart:
    """The largest score over time, and the threshold of 1 as a dashed line."""
    values: list[float | None] = [None] * span.points
    for point in found:
        values[span.index(point.at)] = point.score
    top = charts.nice_top(max([1.2, *(value for value in values if value is not None)]))
    threshold = [1.0] * span.points
    lines = (
        Line("score", "stable", faint=False, path=charts.path(values, top=top), values=tuple(values)),
        Line("alarm", "candidate", faint=False, path=charts.path(threshold, top=top), values=tuple(threshold)),
    )
    return Chart("score", "Drift score", "largest per interval; an alarm at 1", top, lines)


def course_chart(found: Course, span: Span) -> Chart | None:
    """A feature over time beside its reference, from the least to the largest of both; None without rows."""
    known = [point.value for point in found.points if point.value is not None]
    if not known:
        return None
    edges = [*known, *([found.reference] if found.reference is not None else [])]
    margin = 0.15 * (max(edges) - min(edges)) or abs(edges[0]) * 0.1 or 1.0
    low, width = min(edges) - margin, max(edges) - min(edges) + 2 * margin
    values: list[float | None] = [None] * span.points
    for point in found.points:
        values[span.index(point.at)] = point.value
    raised = [None if value is None else value - low for value in values]
    lines = [Line("now", "stable", faint=False, path=_joined(raised, width), values=tuple(values))]
    if found.reference is not None:
        level = [found.reference - low] * span.points
        path = charts.path(level, top=width)
        reference = (found.reference,) * span.points
        lines.append(Line("reference", "candidate", faint=False, path=path, values=reference))
    return Chart("course", found.feature, f"{found.what}, from {figure(low)}", low + width, tuple(lines))


def marks(found: Sequence[Alarm], span: Span) -> tuple[Mark, ...]:
    """When alarms were raised and ended within a window, oldest first."""
    moments = [(alarm.opened_at, "raised", alarm.sentence) for alarm in found]
    moments += [(alarm.closed_at, "ended", alarm.reason or "") for alarm in found if alarm.closed_at is not None]
    inside = sorted(each for each in moments if each[0] >= span.begin)[-MOST_MARKS:]
    return tuple(
        Mark(x=span.x(at), at=at, label=str(number), sentence=f"alarm {what}: {said}", href="")
        for number, (at, what, said) in enumerate(inside, 1)
    )


def performance_chart(release: ReleasePerformance, span: Span) -> Chart | None:
    """The first figure by when rows were predicted, beside that of validation; None without labels."""
    if not release.points:
        return None
    name = release.points[0].figure.name
    values: list[float | None] = [None] * span.points
    for point in release.points:
        values[span.index(point.at)] = point.figure.value
    promised = release.validated.get(name)
    known = [value for value in values if value is not None]
    top = 1.0 if name in ("accuracy", "f1_macro") else charts.nice_top(max([*known, promised or 0.0]))
    lines = [Line("by labels", "stable", faint=False, path=_joined(values, top), values=tuple(values))]
    if promised is not None:
        level = [promised] * span.points
        lines.append(
            Line("validation", "candidate", faint=False, path=charts.path(level, top=top), values=tuple(level))
        )
    return Chart("performance", name, "by when the rows were predicted", top, tuple(lines))


def _joined(values: Sequence[float | None], top: float) -> str:
    """A line through the points that are there: labels come in bursts."""
    step = charts.WIDTH / (len(values) - 1)
    places = [(place, value) for place, value in enumerate(values) if value is not None]
    pieces = [
        f"{'L' if number else 'M'}{place * step:.0f} {charts.HEIGHT * (1 - min(value / top, 1.0)):.1f}"
        for number, (place, value) in enumerate(places)
    ]
    return "".join(pieces) + ("h8" if len(places) == 1 else "")


def figure(value: float | None) -> str:
    return words.NONE if value is None else f"{value:.4g}".replace("-", words.MINUS)


def interval(found: Figure) -> str:
    if found.low is None or found.high is None:
        return words.NONE
    return f"{figure(found.low)} to {figure(found.high)}"
