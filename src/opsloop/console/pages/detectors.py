"""`/detectors`: what watches, what it found, how often it was wrong, and what is muted."""

from __future__ import annotations

from itertools import groupby

from fastapi import Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.incidents.anomalies import service as anomalies
from opsloop.incidents.learning import detectors, standing
from opsloop.incidents.logs import watching as logs

router = PageRouter()


@router.get("/detectors")
def shown(request: Request, uow: Reading) -> Response:
    by_subject = [
        (subject, list(each)) for subject, each in groupby(anomalies.watches(uow), key=lambda one: one.subject)
    ]
    frame = Frame("Detectors", cli="opsloop incident detectors", json="/api/detectors")
    return page(
        request,
        "detectors.html",
        frame,
        standings=standing.standings(uow),
        metrics=by_subject,
        logs=logs.watches(uow),
        now=uow.clock.now(),
    )


@router.post("/detectors/{mark}/mute")
def mute(uow: Writing, mark: str) -> Response:
    """Raises: Denied, NotFound."""
    detectors.mute(uow, mark)
    return see_other("/detectors")


@router.post("/detectors/{mark}/forgive")
def forgive(uow: Writing, mark: str) -> Response:
    """Raises: Denied, NotFound."""
    detectors.forgive(uow, mark)
    return see_other("/detectors")
