"""Lines of charts as SVG path data, drawn on the server. Coordinates run from 0 to 1000 across and 0 to 100 down."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsloop.monitoring.dashboards.models import PanelSeries
from opsloop.monitoring.models import ArmName, TrafficPoint

WIDTH, HEIGHT = 1000.0, 100.0
ARMS: tuple[ArmName, ...] = ("stable", "candidate")
Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment of the chart; `x` is in percent of its width."""

    x: float
    at: datetime
    label: str
    sentence: str
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` names its look: `stable`, `candidate`; `faint` is a second line of the same arm."""

    name: str
    kind: ArmName
    faint: bool
    path: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one span of time with one scale, `top` at its upper edge."""

    key: str
    title: str
    unit: str
    top: float
    lines: tuple[Line, ...]


def path(values: Values, *, top: float) -> str:
    """Path data of a line; values of None leave a gap, a lone value is a short dash."""
    if len(values) < 2 or top <= 0:
        return ""
    step = WIDTH / (len(values) - 1)
    pieces: list[str] = []
    before: float | None = None
    for index, value in enumerate(values):
        if value is not None:
            x, y = index * step, HEIGHT * (1 - min(value / top, 1.0))
            pieces.append(f"{'M' if before is None else 'L'}{x:.0f} {y:.1f}")
            if before is None and (index + 1 == len(values) or values[index + 1] is None):
                pieces.append(f"h{step / 2:.0f}")
        before = value
    return "".join(pieces)


def nice_top(largest: float) -> float:
    """The upper end of a scale: 1, 2 or 5 times a power of ten, not below the largest value."""
    if largest <= 0 or not math.isfinite(largest):
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= largest * 0.999), 10 * power)


@dataclass(frozen=True, slots=True)
class Span:
    """A window cut into equal intervals, as `monitoring.traffic.series` cuts it."""

    until: datetime
    window_s: int
    points: int

    @property
    def begin(self) -> datetime:
        return self.until - timedelta(seconds=self.window_s)

    @property
    def step_s(self) -> float:
        return self.window_s / self.points

    @property
    def starts(self) -> list[datetime]:
        return [self.begin + timedelta(seconds=index * self.step_s) for index in range(self.points)]

    def index(self, at: datetime) -> int:
        return min(max(int((at - self.begin).total_seconds() / self.step_s + 0.5), 0), self.points - 1)

    def x(self, at: datetime) -> float:
        """Where a moment is, in percent of the width."""
        return round(100 * (at - self.begin).total_seconds() / self.window_s, 2)


def columns(points: Sequence[TrafficPoint], span: Span) -> Mapping[ArmName, list[TrafficPoint | None]]:
    """Points in their places, per arm; None where nothing was asked."""
    found: dict[ArmName, list[TrafficPoint | None]] = {arm: [None] * span.points for arm in ARMS}
    for point in points:
        found[point.arm][span.index(point.at)] = point
    return found


def spark(values: Values) -> str:
    """The small line beside a figure."""
    return path(values, top=max((value for value in values if value is not None), default=0.0) * 1.1)


def traffic_charts(points: Sequence[TrafficPoint], span: Span) -> tuple[Chart, ...]:
    """Rate, errors and latency of an endpoint; the candidate only where it was asked."""
    arms = {arm: found for arm, found in columns(points, span).items() if arm == "stable" or any(found)}
    rate = [(arm, False, arm, [point.rate_per_s if point else 0.0 for point in found]) for arm, found in arms.items()]
    errors = [
        (arm, False, arm, [point.errors / point.count if point else None for point in found])
        for arm, found in arms.items()
    ]
    latency = [
        (arm, quantile == "p50", f"{arm} {quantile}", [getattr(point, f"{quantile}_ms", None) for point in found])
        for arm, found in arms.items()
        for quantile in ("p50", "p95")
    ]
    return (
        _chart("rate", "Requests", "per second", rate),
        _chart("errors", "Errors", "share of requests", errors, least_top=0.01),
        _chart("latency", "Latency", "p50 and p95", latency),
    )


def _chart(
    key: str, title: str, unit: str, series: Sequence[tuple[ArmName, bool, str, Values]], *, least_top: float = 0.0
) -> Chart:
    largest = max((value for *_, values in series for value in values if value is not None), default=0.0)
    top = max(nice_top(largest), least_top) if largest else max(1.0 if key != "errors" else 0.0, least_top)
    lines = tuple(Line(name, arm, faint, path(values, top=top), tuple(values)) for arm, faint, name, values in series)
    return Chart(key, title, unit, top, lines)


def panel_chart(panel: PanelSeries) -> Chart:
    """A panel of the dashboards; its second line is the dashed one."""
    largest = max((value for line in panel.lines for value in line.values if value is not None), default=0.0)
    is_share = panel.said.startswith("share")
    top = min(1.0, nice_top(largest)) if is_share and largest else nice_top(largest)
    lines = tuple(
        Line(each.name, ARMS[min(number, 1)], False, path(each.values, top=top), each.values)
        for number, each in enumerate(panel.lines)
    )
    return Chart(panel.key, panel.title, panel.said, top, lines)
