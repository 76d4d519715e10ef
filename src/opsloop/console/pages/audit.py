"""`/audit`: who did what, and whether the record still holds."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.core.audit import keys, service
from opsloop.core.web.dependencies import Reading

router = PageRouter()
EVENTS = 100


@router.get("/audit")
def audit(
    request: Request,
    uow: Reading,
    target: Annotated[str, Query(max_length=300)] = "",
    action: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    verify: bool = False,
) -> Response:
    """Targets and actions are filtered by how they begin. `verify` checks the whole trail."""
    events = service.listed(uow, target=target or None, action=action or None, before=before, limit=EVENTS)
    wanted = {name: value for name, value in (("target", target), ("action", action)) if value}
    options = "".join(f" --{name} {shlex.quote(value)}" for name, value in wanted.items())
    frame = Frame(
        "Audit",
        cli="opsloop audit verify" if verify else f"opsloop audit list{options}",
        json="/api/audit/verify" if verify else f"/api/audit?{urlencode(wanted)}",
    )
    return page(
        request,
        "audit.html",
        frame,
        events=events,
        report_from=(uow.clock.now().date().replace(day=1)).isoformat(),
        report_to=(uow.clock.now().date() + timedelta(days=1)).isoformat(),
        target=target,
        action=action,
        before=before,
        older=f"/audit?{urlencode({**wanted, 'before': events[-1].seq})}" if len(events) == EVENTS else None,
        check=f"/audit?{urlencode({**wanted, 'verify': 'true'})}",
        found=service.verify(uow, keys.own_public_key(uow.workspace.data_dir)) if verify else None,
    )
