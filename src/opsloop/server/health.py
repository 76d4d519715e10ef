"""HTTP: is the process alive, can it serve, and its metrics."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse, Response

from opsloop._version import __version__
from opsloop.core.errors import OpsloopError
from opsloop.core.web.dependencies import Opened
from opsloop.core.web.router import Router
from opsloop.monitoring import metrics

router = Router(tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process is alive; it says nothing about what it needs."""
    return {"status": "ok", "version": __version__}


@router.get("/ready", response_model=None)
def ready(workspace: Opened) -> JSONResponse:
    """The process can serve: its database answers."""
    checks: dict[str, Any] = {}
    try:
        workspace.database.check()
        checks["database"] = "ok"
    except OpsloopError as error:
        checks["database"] = error.sentence
    able = all(found == "ok" for found in checks.values())
    content = {"status": "ready" if able else "not ready", "checks": checks}
    return JSONResponse(content, status_code=200 if able else 503)


@router.get("/metrics", response_model=None)
def scrape() -> Response:
    """Metrics in the Prometheus text format."""
    return Response(metrics.render(), media_type=metrics.MEDIA_TYPE)
