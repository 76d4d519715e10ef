"""`/`: what needs somebody, then every endpoint with what it serves and how it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import attention, charts, live, words
from opsloop.console.attention import Need
from opsloop.console.page import Frame, page, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import traffic
from opsloop.monitoring.models import ArmTraffic
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState

router = PageRouter()
NOW_S = 60
"""Figures are of the last minute."""
WINDOW_S = 900
"""Small lines are of the last quarter of an hour."""
POINTS = 60
PER_PAGE = 40


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """One endpoint on the overview. Percentiles are those of stable, which serves most."""

    state: EndpointState
    share: float
    rate_per_s: float
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    rates: str
    latencies: str

    @property
    def name(self) -> str:
        return self.state.endpoint.name

    @property
    def sentence(self) -> str:
        return self.state.rollout.reason if self.state.rollout else ""


@dataclass(frozen=True, slots=True)
class Overview:
    needs: tuple[Need, ...]
    lines: tuple[EndpointLine, ...]
    endpoints: int
    found: int
    page: int
    now: datetime

    @property
    def pages(self) -> int:
        return max(1, -(-self.found // PER_PAGE))


def view(uow: UnitOfWork, *, q: str = "", number: int = 1) -> Overview:
    """Endpoints whose name holds `q`, `PER_PAGE` a page."""
    states = releases.endpoints(uow)
    wanted = [state for state in states if q.lower() in state.endpoint.name]
    shown = wanted[(number - 1) * PER_PAGE : number * PER_PAGE]
    return Overview(
        needs=attention.needs(uow, states),
        lines=tuple(_line(uow, state) for state in shown),
        endpoints=len(states),
        found=len(wanted),
        page=number,
        now=uow.clock.now(),
    )


def _line(uow: UnitOfWork, state: EndpointState) -> EndpointLine:
    name = state.endpoint.name
    now = traffic.summary(uow, name, NOW_S)
    span = charts.Span(now.until, WINDOW_S, POINTS)
    columns = charts.columns(traffic.series(uow, name, WINDOW_S, POINTS), span)
    both = list(zip(*columns.values(), strict=True))
    stable = now.arm("stable")
    return EndpointLine(
        state=state,
        share=state.rollout.share if state.rollout and state.candidate else 0.0,
        rate_per_s=now.rate_per_s,
        error_rate=_error_rate(now.arms),
        p50_ms=stable.p50_ms if stable else None,
        p95_ms=stable.p95_ms if stable else None,
        rates=charts.spark([sum(point.rate_per_s for point in each if point) for each in both]),
        latencies=charts.spark([point.p95_ms if point else None for point in columns["stable"]]),
    )


def _error_rate(arms: Sequence[ArmTraffic]) -> float | None:
    """Of all attempts that were asked: what callers were shielded from counts too."""
    asked = sum(arm.count - arm.shed - arm.cancelled for arm in arms)
    return sum(arm.errors for arm in arms) / asked if asked else None


@live.topic("overview")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    """`overview` or `overview:2`, a page of it."""
    shown = view(uow, number=int(argument) if argument.isdecimal() else 1)
    values: dict[str, str] = {}
    for line in shown.lines:
        values |= {
            f"{line.name}/rate": words.rate(line.rate_per_s),
            f"{line.name}/errors": words.percent(line.error_rate),
            f"{line.name}/p50": words.milliseconds(line.p50_ms),
            f"{line.name}/p95": words.milliseconds(line.p95_ms),
            f"{line.name}/rates": line.rates,
            f"{line.name}/latencies": line.latencies,
            f"{line.name}/sentence": line.sentence,
        }
    return live.Snapshot(values, _shape(shown))


def _shape(shown: Overview) -> str:
    states = [(line.state.stable, line.state.candidate, line.share) for line in shown.lines]
    rollouts = [(line.state.rollout.id, line.state.rollout.status) for line in shown.lines if line.state.rollout]
    return shape_of([shown.needs, states, rollouts, shown.endpoints])


@router.get("/")
def overview(
    request: Request,
    uow: Reading,
    q: Annotated[str, Query(max_length=100)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    shown = view(uow, q=q, number=number)
    frame = Frame(
        "Overview",
        cli="opsloop release list",
        json="/api/endpoints",
        topics=() if q else (f"overview:{number}",),
        shape=_shape(shown),
    )
    return page(request, "overview.html", frame, view=shown, q=q)
