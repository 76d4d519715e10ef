"""HTTP: drift and performance of endpoints that serve models."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.core.web.router import Router
from opsloop.monitoring import closing, exporting
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm
from opsloop.monitoring.drift import reporting as drift
from opsloop.monitoring.drift.reports import Distribution
from opsloop.monitoring.exporting import Exported
from opsloop.monitoring.numerical import loading
from opsloop.monitoring.predictions import series
from opsloop.monitoring.segments.reports import SegmentReport

router = Router(tags=["monitoring"])
DAY_S = 86_400
MAX_WINDOW_S = 400 * DAY_S
Window = Annotated[int, Query(ge=1, le=MAX_WINDOW_S, description="seconds until now")]


class Exporting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(description="name of the dataset that gets a version")
    days: float | None = Field(None, gt=0, le=3_660, description="of the last so many days; every one kept if unset")
    rows: int | None = Field(None, ge=1, le=200_000, description="the newest so many")
    with_origin: bool = Field(False, description="also request, release, prediction and time of each row")


class Closing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(description="why, for the audit trail")
    accept: bool = Field(False, description="take the rows since the change as the new normal")


@router.get("/api/endpoints/{name}/drift")
def drift_of(uow: Reading, name: str, release: str | None = None) -> dict[str, Any]:
    """How the watched releases stand; `detected` says whether an alarm is open."""
    found = drift.report(uow, name, release=release)
    words = ("sentence", "method", "false_alarms", "delays")
    watches = [asdict(each) | {name: getattr(each, name) for name in words} for each in found.watches]
    return asdict(found) | {"watches": watches}


@router.get("/api/endpoints/{name}/drift/scores")
def scores(
    uow: Reading,
    name: str,
    release: str | None = None,
    window: Window = DAY_S,
    points: Annotated[int, Query(ge=1, le=500)] = 60,
) -> dict[str, Any]:
    """Predicted rows and the largest drift score, by time."""
    return {"items": series.scores(uow, name, window_s=window, points=points, release=release)}


@router.get("/api/endpoints/{name}/drift/features/{feature}")
def distribution_of(uow: Reading, name: str, feature: str, release: str | None = None) -> Distribution:
    """How an input, or `prediction`, was spread in the reference and is now."""
    with loading():
        from opsloop.monitoring.drift.distribution import distribution
    return distribution(uow, name, feature, release=release)


@router.get("/api/endpoints/{name}/segments")
def segments_of(
    uow: Reading,
    name: str,
    by: Annotated[str, Query(description="an input of the model")],
    release: str | None = None,
    window: Window = 7 * DAY_S,
    cut: Annotated[list[float] | None, Query(description="ends of ranges, of a number")] = None,
) -> SegmentReport:
    """Traffic, movement and performance of the parts of an endpoint's rows."""
    with loading():
        from opsloop.monitoring.segments import reporting as segments
    return segments.report(uow, name, by, release=release, window_s=window, cuts=cut or [])


@router.post("/api/endpoints/{name}/export", status_code=201)
def export(workspace: Opened, by: Asking, name: str, given: Exporting) -> Exported:
    """Make a dataset version of the rows that have labels."""
    since = None if given.days is None else workspace.clock.now() - timedelta(days=given.days)
    return exporting.export(
        workspace, by, name, name=given.dataset, since=since, rows=given.rows, with_origin=given.with_origin
    )


@router.post("/api/alarms/{alarm}/close")
def close(workspace: Opened, by: Asking, alarm: str, given: Closing) -> Alarm:
    """End an alarm; the watch begins anew."""
    return closing.close(workspace, by, alarm, reason=given.reason, accept=given.accept)


@router.post("/api/endpoints/{name}/drift/close")
def close_newest(workspace: Opened, by: Asking, name: str, given: Closing) -> Alarm:
    """End the endpoint's newest open alarm. 404 when it has none."""
    with workspace.reading(by) as uow:
        found = alarms.only_unclosed(uow, name)
    return closing.close(workspace, by, found.id, reason=given.reason, accept=given.accept)


@router.get("/api/endpoints/{name}/performance")
def performance_of(
    uow: Reading,
    name: str,
    release: str | None = None,
    window: Window = 7 * DAY_S,
    points: Annotated[int, Query(ge=1, le=200)] = 20,
) -> dict[str, Any]:
    """Figures by labels, with intervals, beside those of validation; `worse` says whether an alarm is open."""
    with loading():
        from opsloop.monitoring.performance import reporting as performance
    found = performance.report(uow, name, window_s=window, points=points, release=release)
    releases = [asdict(each) | {"sentence": each.sentence} for each in found.releases]
    return asdict(found) | {"releases": releases}
