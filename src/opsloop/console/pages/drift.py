"""`/endpoints/{name}/drift`: whether what a model is sent has drifted, in which inputs, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console import charts, drift_drawing, live, renewals, words
from opsloop.console.charts import Chart, Mark, Span
from opsloop.console.drift_drawing import Bar, Pair
from opsloop.console.page import Frame, Place, page, see_other, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import closing
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm
from opsloop.monitoring.drift import reporting, watches
from opsloop.monitoring.drift.reports import DriftReport, WatchReport
from opsloop.monitoring.numerical import loading
from opsloop.monitoring.performance.reports import PerformanceReport, ReleasePerformance
from opsloop.monitoring.predictions import series
from opsloop.monitoring.segments.reports import SegmentReport
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState
from opsloop.releases.renewals.models import Renewal

router = PageRouter()
POINTS = 90
WINDOWS = {900: "15 min", 3_600: "1 hour", 86_400: "1 day", 604_800: "7 days", 2_592_000: "30 days"}
DEFAULT_WINDOW_S = 86_400
SHOWN_FEATURES = 20
Did = Literal["", "acknowledged", "closed", "accepted"]


@dataclass(frozen=True, slots=True)
class DriftView:
    """Everything the page shows; None where there is nothing of it."""

    report: DriftReport
    watch: WatchReport
    alarms: tuple[Alarm, ...]
    bars: tuple[Bar, ...]
    scores: Chart
    starts: tuple[datetime, ...]
    span: Span
    feature: str
    pairs: tuple[Pair, ...]
    course: Chart | None
    marks: tuple[Mark, ...]
    since: datetime | None
    reference_rows: int
    now_rows: int
    segments: SegmentReport | None
    inputs: tuple[str, ...]
    by: str
    performance: ReleasePerformance | None
    accuracy: Chart | None
    past: tuple[Alarm, ...]
    renewal: Renewal | None
    numbers: Mapping[str, int]
    now: datetime

    @property
    def unchecked(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.watch.about.get("unchecked", [])
        return found


def view(uow: UnitOfWork, name: str, *, window_s: int, feature: str, by: str) -> DriftView:
    """Raises: NotFound, ExtraNeeded."""
    report = reporting.report(uow, name)
    with loading():
        from opsloop.monitoring.drift import inputs
        from opsloop.monitoring.drift.course import course
        from opsloop.monitoring.drift.distribution import distribution
        from opsloop.monitoring.performance import reporting as performance
        from opsloop.monitoring.segments import reporting as segments
    watch = report.watches[0]
    stored = watches.get(uow, name, watch.release)
    names = tuple(each.name for each in inputs.inputs_of(stored)) if stored is not None else ()
    by = by or next(iter(watch.about.get("segments", {})), "")
    feature = feature or _most_moved(watch, names)
    span = Span(uow.clock.now(), window_s, POINTS)
    found = series.scores(uow, name, window_s=window_s, points=POINTS, release=watch.release)
    measured = performance.report(uow, name, window_s=window_s, release=watch.release)
    since = watch.alarm.since_at if watch.alarm is not None else None
    spread = distribution(uow, name, feature, release=watch.release, since=since) if feature else None
    went = course(uow, name, feature, release=watch.release, window_s=window_s, points=POINTS) if feature else None
    every = alarms.listed(uow, endpoint=name, limit=20)
    return DriftView(
        report=report,
        watch=watch,
        alarms=tuple(alarms.unclosed(uow, name)),
        bars=drift_drawing.bars(watch.features[:SHOWN_FEATURES]),
        scores=drift_drawing.score_chart(found, span),
        starts=tuple(span.starts),
        span=span,
        feature=feature,
        pairs=drift_drawing.pairs(spread.bins) if spread else (),
        course=drift_drawing.course_chart(went, span) if went else None,
        marks=drift_drawing.marks(every, span),
        since=since,
        reference_rows=spread.reference_rows if spread else 0,
        now_rows=spread.now_rows if spread else 0,
        segments=segments.report(uow, name, by, release=watch.release, window_s=window_s) if by in names else None,
        inputs=names,
        by=by,
        performance=_of(measured),
        accuracy=drift_drawing.performance_chart(measured.releases[0], span) if measured.releases else None,
        past=tuple(each for each in every if each.closed_at is not None),
        renewal=renewals.under_way(uow, name),
        numbers={each.id: each.number for each in releases.releases(uow, name)},
        now=uow.clock.now(),
    )


def _of(report: PerformanceReport) -> ReleasePerformance | None:
    return report.releases[0] if report.releases else None


def _most_moved(watch: WatchReport, names: tuple[str, ...]) -> str:
    """The feature to draw: the alarm's, else the one with the most evidence that is an input, else the first."""
    if watch.alarm is not None and watch.alarm.feature in names:
        return watch.alarm.feature
    return next((each.feature for each in watch.features if each.feature in names), names[0] if names else "")


def _shape(shown: DriftView) -> str:
    return shape_of([[(each.id, each.state) for each in shown.alarms], shown.watch.release, len(shown.bars)])


@live.topic("drift")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    """`drift:iris`, the state of an endpoint's watch."""
    report = reporting.report(uow, argument)
    found = alarms.unclosed(uow, argument)
    watch = report.watches[0]
    shape = shape_of([[(each.id, each.state) for each in found], watch.release, len(watch.features[:SHOWN_FEATURES])])
    values: dict[str, Any] = {"sentence": watch.sentence, "rows": words.count(watch.rows)}
    values |= {f"bar/{bar.name}": bar.width for bar in drift_drawing.bars(watch.features[:SHOWN_FEATURES])}
    values |= {f"score/{bar.name}": bar.figure for bar in drift_drawing.bars(watch.features[:SHOWN_FEATURES])}
    return live.Snapshot(values, shape)


def _fitting_window_s(uow: UnitOfWork, state: EndpointState) -> int:
    """The shortest window that holds all that the release was asked, a day at most."""
    if state.stable is None:
        return DEFAULT_WINDOW_S
    age_s = (uow.clock.now() - state.stable.created_at).total_seconds()
    return next((window_s for window_s in WINDOWS if age_s < window_s < DEFAULT_WINDOW_S), DEFAULT_WINDOW_S)


@router.get("/endpoints/{name}/drift")
def drift(
    request: Request,
    uow: Reading,
    name: str,
    window: Annotated[int | None, Query(ge=60, le=400 * 86_400)] = None,
    feature: Annotated[str, Query(max_length=200)] = "",
    by: Annotated[str, Query(max_length=200)] = "",
    did: Did = "",
) -> Response:
    state = releases.endpoint(uow, name)
    here = f"/endpoints/{words.segment(name)}"
    window = window or _fitting_window_s(uow, state)
    trail = (Place("Overview", "/"), Place(name, here))
    frame = Frame("Drift and performance", trail, cli=f"opsloop monitor drift {name}", json=f"/api{here}/drift")
    try:
        shown = view(uow, name, window_s=window, feature=feature, by=by)
    except NotFound as error:
        if feature and watches.of_endpoint(uow, name):
            raise
        return page(request, "drift_empty.html", frame, state=state, sentence=error.sentence, here=here)
    frame = Frame(frame.title, trail, cli=frame.cli, json=frame.json, topics=(f"drift:{name}",), shape=_shape(shown))
    return page(
        request,
        "drift.html",
        frame,
        view=shown,
        here=here,
        window=window,
        windows=WINDOWS,
        did=did,
        score_top=charts.nice_top,
        figure=drift_drawing.figure,
        interval=drift_drawing.interval,
    )


@router.post("/endpoints/{name}/drift/acknowledge")
def acknowledge(uow: Writing, name: str, alarm: Annotated[str, Form(max_length=100)]) -> Response:
    alarms.acknowledge(uow, alarm)
    return see_other(f"/endpoints/{words.segment(name)}/drift?did=acknowledged")


@router.get("/endpoints/{name}/drift/close")
def confirm(request: Request, uow: Reading, name: str, alarm: Annotated[str, Query(max_length=100)]) -> Response:
    """What closing would change, and the form that does it."""
    uow.by.require(Role.OPERATOR)
    found = alarms.get(uow, alarm)
    here = f"/endpoints/{words.segment(name)}"
    frame = Frame(
        "Close the alarm?",
        trail=(Place("Overview", "/"), Place(name, here), Place("Drift and performance", f"{here}/drift")),
        cli=f'opsloop monitor drift {name} --close --reason "…"',
        json=f"/api/alarms/{words.segment(alarm)}",
    )
    return page(request, "drift_close.html", frame, alarm=found, here=here, now=uow.clock.now())


@router.post("/endpoints/{name}/drift/close")
def close(
    workspace: Opened,
    by: Asking,
    name: str,
    alarm: Annotated[str, Form(max_length=100)],
    reason: Annotated[str, Form(max_length=2_000)] = "",
    accept: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    closing.close(workspace, by, alarm, reason=reason, accept=accept == "yes")
    return see_other(f"/endpoints/{words.segment(name)}/drift?did={'accepted' if accept == 'yes' else 'closed'}")
