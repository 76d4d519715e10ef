"""`/endpoints/{name}`: what an endpoint serves, stable beside candidate, and what an operator can do about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import charts, evidence, live, renewals, words
from opsloop.console.charts import Chart, Mark, Span
from opsloop.console.page import Frame, Place, page, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.console.renewals import RenewalsView
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.models import Guardrails
from opsloop.monitoring import guardrail_hits, records, traffic
from opsloop.monitoring.models import ArmTraffic, HitReport, Traffic
from opsloop.monitoring.objectives import service as objectives
from opsloop.monitoring.objectives.models import Standing
from opsloop.releases import freezes, guarding, rollouts
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState, Release, Rollout, RolloutStatus

router = PageRouter()
POINTS = 90
DEFAULT_WINDOW_S = 900
WINDOWS = {300: "5 min", 900: "15 min", 3_600: "1 hour", 21_600: "6 hours", 86_400: "1 day"}
RELEASES = 25
RECENT_ROLLOUTS = 8
MOST_MARKS = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """One measure on both sides. Texts are as they stand on the page; the candidate's are empty outside a rollout."""

    key: str
    title: str
    stable: str
    candidate: str
    difference: str
    evidence: str


@dataclass(frozen=True, slots=True)
class EndpointView:
    state: EndpointState
    traffic: Traffic
    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    starts: tuple[datetime, ...]
    marks: tuple[Mark, ...]
    releases: tuple[Release, ...]
    rollouts: tuple[Rollout, ...]
    renewals: RenewalsView | None
    guardrails: Guardrails
    hits: HitReport
    standings: tuple[Standing, ...]
    last_request_at: datetime | None
    span: Span
    compared_s: int
    now: datetime

    @property
    def rollout(self) -> Rollout | None:
        """The one that goes on."""
        found = self.state.rollout
        return found if found is not None and not found.status.is_over else None

    @property
    def can_go_back(self) -> bool:
        """Whether a release served everybody before the stable one, as far as the shown rollouts tell."""
        stable = self.state.stable
        promoted = [each.number for each in self.rollouts if each.status is RolloutStatus.PROMOTED]
        return stable is not None and any(number < stable.number for number in promoted)

    @property
    def share(self) -> float:
        return self.rollout.share if self.rollout else 0.0


def view(uow: UnitOfWork, name: str, window_s: int) -> EndpointView:
    """Raises: NotFound."""
    state = releases.endpoint(uow, name)
    compared_s = _compared_s(uow, state, window_s)
    found = traffic.summary(uow, name, compared_s)
    span = charts.Span(found.until, window_s, POINTS)
    recent = rollouts.listed(uow, name, limit=RECENT_ROLLOUTS)
    newest = records.newest(uow, endpoint=name, limit=1)
    return EndpointView(
        state=state,
        traffic=found,
        tiles=tiles(found, state),
        charts=charts.traffic_charts(traffic.series(uow, name, window_s, POINTS), span),
        starts=tuple(span.starts),
        marks=_marks(uow, recent, span),
        releases=tuple(releases.releases(uow, name)[:RELEASES]),
        rollouts=tuple(recent),
        renewals=renewals.view(uow, name),
        guardrails=guarding.of_endpoint(uow, name),
        hits=guardrail_hits.report(uow, name, window_s),
        standings=tuple(objectives.standings(uow, name)),
        last_request_at=newest[0][1].started_at if newest else None,
        span=span,
        compared_s=compared_s,
        now=uow.clock.now(),
    )


def _fitting_window_s(uow: UnitOfWork, name: str) -> int:
    """The shortest window that still has the newest request well inside; the middle one without any."""
    newest = records.newest(uow, endpoint=name, limit=1)
    if not newest:
        return DEFAULT_WINDOW_S
    age_s = (uow.clock.now() - newest[0][1].started_at).total_seconds()
    return next((window_s for window_s in WINDOWS if age_s < window_s / 2), max(WINDOWS))


def _compared_s(uow: UnitOfWork, state: EndpointState, window_s: int) -> int:
    """The window of the tiles: not before the rollout that goes on, for an earlier candidate was another release."""
    if state.rollout is None or state.candidate is None:
        return window_s
    since_s = (uow.clock.now() - state.rollout.started_at).total_seconds()
    return max(1, min(window_s, math.ceil(since_s)))


def tiles(found: Traffic, state: EndpointState) -> tuple[Tile, ...]:
    """Four measures of the window; where a rollout goes on, its analysis says what they weigh."""
    shown = state.rollout.evidence if state.rollout and state.candidate else {}
    stable, candidate = found.arm("stable"), found.arm("candidate") if state.candidate else None

    def tile(key: str, title: str, figures: tuple[str, str], difference: str, said: str) -> Tile:
        return Tile(key, title, figures[0], figures[1] if state.candidate else "", difference, said)

    rates = (words.rate(stable.rate_per_s if stable else 0), words.rate(candidate.rate_per_s if candidate else 0))
    failed = [arm.error_rate if arm else None for arm in (stable, candidate)]
    slow = [arm.p95_ms if arm else None for arm in (stable, candidate)]
    refused = [_abstained(arm) for arm in (stable, candidate)]
    return (
        tile("rate", "Requests", rates, "", f"{words.several(found.requests, 'request')} in the window"),
        tile("errors", "Errors", _both(failed, words.percent), _points(failed), evidence.trouble(shown, "error")),
        tile(
            "latency",
            "Latency p95",
            _both(slow, words.milliseconds),
            _ratio(slow),
            evidence.trouble(shown, "slow") or _p50(stable, candidate),
        ),
        tile(
            "abstained",
            "Abstentions",
            _both(refused, words.percent),
            _points(refused),
            evidence.trouble(shown, "dissatisfied"),
        ),
    )


def _both(values: Sequence[float | None], form: words.Form) -> tuple[str, str]:
    return form(values[0]), form(values[1])


def _points(shares: Sequence[float | None]) -> str:
    stable, candidate = shares
    return "" if stable is None or candidate is None else words.points(candidate - stable)


def _ratio(values: Sequence[float | None]) -> str:
    stable, candidate = values
    if not stable or candidate is None:
        return ""
    return f"{100 * (candidate / stable - 1):+.0f} %".replace("-", words.MINUS)


def _abstained(arm: ArmTraffic | None) -> float | None:
    answered = arm.count - arm.errors - arm.shed - arm.cancelled if arm else 0
    return arm.abstained / answered if arm and answered else None


def _p50(stable: ArmTraffic | None, candidate: ArmTraffic | None) -> str:
    said = [f"p50 {words.milliseconds(arm.p50_ms)} {arm.arm}" for arm in (stable, candidate) if arm]
    return ", ".join(said)


def _marks(uow: UnitOfWork, recent: Sequence[Rollout], span: charts.Span) -> tuple[Mark, ...]:
    """What happened in rollouts within the window, oldest first."""
    inside = [each for each in recent if each.finished_at is None or each.finished_at >= span.begin]
    events = [
        (event, number, rollout)
        for rollout in inside
        for number, event in enumerate(rollouts.get(uow, rollout.id).events, 1)
        if event.at >= span.begin
    ]
    events.sort(key=lambda found: found[0].at)
    return tuple(
        Mark(
            x=span.x(event.at),
            at=event.at,
            label=str(place),
            sentence=f"release {rollout.number} {event.kind.replace('_', ' ')}: {event.sentence}",
            href=f"/rollouts/{words.segment(rollout.id)}#event-{number}",
        )
        for place, (event, number, rollout) in enumerate(events[-MOST_MARKS:], 1)
    )


def _shape(shown: EndpointView) -> str:
    rollout = shown.state.rollout
    facts = (rollout.id, rollout.status, rollout.step, rollout.share) if rollout else ()
    sides = [bool(shown.traffic.arm(arm)) for arm in charts.ARMS]
    history = len(shown.renewals.history) if shown.renewals else 0
    guarded = [(hit.arm, hit.kind, hit.direction, hit.action) for hit in shown.hits.counts]
    about = [shown.state.stable, shown.state.candidate, facts, sides, len(shown.releases), history]
    return shape_of([*about, shown.guardrails.version, guarded])


@live.topic("endpoint")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    """`endpoint:chat:900`, the endpoint in a window."""
    name, _, window = argument.rpartition(":")
    shown = view(uow, name, int(window) if window.isdecimal() and int(window) in WINDOWS else DEFAULT_WINDOW_S)
    values = {f"tile/{tile.key}/{part}": getattr(tile, part) for tile in shown.tiles for part in Tile.__slots__[2:]}
    values |= {f"chart/{chart.key}/{line.name}": line.path for chart in shown.charts for line in chart.lines}
    values |= {f"chart/{chart.key}/top": top(chart) for chart in shown.charts}
    values["reason"] = shown.state.rollout.reason if shown.state.rollout else ""
    return live.Snapshot(values, _shape(shown))


def top(chart: Chart) -> str:
    """The figure at the upper edge of a chart."""
    forms = {"rate": words.rate, "errors": words.percent, "latency": words.milliseconds}
    return forms[chart.key](chart.top)


@router.get("/endpoints/{name}")
def endpoint(
    request: Request,
    uow: Reading,
    name: str,
    window: Annotated[int | None, Query(ge=60, le=traffic.MAX_WINDOW_S)] = None,
    did: Literal["", "promote", "pause", "resume", "rollback", "abort"] = "",
) -> Response:
    window = window or _fitting_window_s(uow, name)
    shown = view(uow, name, window)
    frame = Frame(
        name,
        trail=(Place("Overview", "/"),),
        cli=f"opsloop monitor traffic {name} --window {window}",
        json=f"/api/endpoints/{words.segment(name)}",
        topics=(f"endpoint:{name}:{window}",) if window in WINDOWS else (),
        shape=_shape(shown),
    )
    frozen = freezes.holding(uow, name)
    is_own_freeze = any(each.endpoint == name for each in freezes.active(uow, name))
    return page(
        request,
        "endpoint.html",
        frame,
        view=shown,
        window=window,
        windows=WINDOWS,
        did=did,
        top=top,
        frozen=frozen,
        is_own_freeze=is_own_freeze,
    )
