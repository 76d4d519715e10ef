"""HTTP: the audit trail."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from opsloop.core.audit import keys, service
from opsloop.core.audit.models import AuditEvent, Verification
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.core.web.router import Router

router = Router(prefix="/api/audit", tags=["audit"])


@router.get("")
def listed(
    uow: Reading,
    target: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The newest events first; `next` continues the listing as `before`."""
    events: list[AuditEvent] = service.listed(uow, target=target, action=action, before=before, limit=limit)
    return {"items": events, "next": events[-1].seq if len(events) == limit else None}


@router.get("/verify")
def verify(uow: Reading) -> Verification:
    """Check every hash and signature of the trail."""
    return service.verify(uow, keys.own_public_key(uow.workspace.data_dir))


@router.get("/export")
def export(workspace: Opened, caller: Asking) -> StreamingResponse:
    """The trail as JSON lines, to be checked anywhere with the public key."""

    def lines() -> Any:
        with workspace.reading(caller) as uow:
            yield from service.export(uow)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.get("/key")
def public_key(workspace: Opened) -> dict[str, str]:
    """The public key that checks an export, in PEM form."""
    return {"pem": keys.own_public_pem(workspace.data_dir)}
