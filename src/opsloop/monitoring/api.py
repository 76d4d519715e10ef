"""HTTP: traffic of endpoints, and records of requests."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query

from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router
from opsloop.monitoring import guardrail_hits, records, traffic
from opsloop.monitoring.models import HitReport, RequestRecord

router = Router(tags=["monitoring"])
# What a model predicted is no part of a request's row.
_KEPT_ELSEWHERE = frozenset({"rows", "inputs", "predictions", "drift_score", "texts"})


@router.get("/api/endpoints/{name}/traffic")
def of_endpoint(
    uow: Reading,
    name: str,
    window: Annotated[int, Query(ge=1, le=traffic.MAX_WINDOW_S, description="seconds until now")] = 300,
    points: Annotated[int, Query(ge=1, le=traffic.MAX_POINTS)] = 60,
) -> dict[str, Any]:
    """Figures per arm and the points of a chart; an endpoint nobody called has none."""
    return {
        "summary": traffic.summary(uow, name, window),
        "series": traffic.series(uow, name, window, points),
    }


@router.get("/api/endpoints/{name}/guardrails/hits")
def hits(
    uow: Reading,
    name: str,
    window: Annotated[int, Query(ge=1, le=guardrail_hits.MAX_WINDOW_S, description="seconds until now")] = 86_400,
) -> HitReport:
    """What guardrails found in the requests and answers of an endpoint: kinds and counts, never values."""
    return guardrail_hits.report(uow, name, window)


@router.get("/api/requests")
def newest(
    uow: Reading,
    endpoint: str | None = None,
    request_id: str | None = None,
    before: Annotated[int | None, Query(ge=1, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Records of requests, newest first."""
    found = records.newest(uow, endpoint=endpoint, request_id=request_id, before_seq=before, limit=limit)
    items = [{"seq": seq, **_shown(record)} for seq, record in found]
    return {"items": items, "next": found[-1][0] if len(found) == limit else None}


def _shown(record: RequestRecord) -> dict[str, Any]:
    # FastAPI does not know structs, and an answer names every field, also those at their default.
    fields = (name for name in record.__struct_fields__ if name not in _KEPT_ELSEWHERE)
    structs = {"hits": msgspec.to_builtins(record.hits), "calls": msgspec.to_builtins(record.calls)}
    return {name: getattr(record, name) for name in fields} | {"id": record.key, **structs}
