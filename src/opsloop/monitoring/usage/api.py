"""HTTP: what was used."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query

from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router
from opsloop.monitoring.usage import service
from opsloop.monitoring.usage.models import By, UsageReport

router = Router(prefix="/api/usage", tags=["usage"])


@router.get("")
def report(
    uow: Reading,
    by: By = "day",
    since: Annotated[date | None, Query(alias="from", description="the first day, such as 2026-07-01")] = None,
    until: Annotated[date | None, Query(alias="to", description="the last day; today by default")] = None,
    key: Annotated[str | None, Query(max_length=200, description="only of this API key")] = None,
    endpoint: Annotated[str | None, Query(max_length=200)] = None,
    model: Annotated[str | None, Query(max_length=200)] = None,
) -> UsageReport:
    """Requests, calls to models, tokens and money of whole days, of UTC."""
    return service.report(uow, by=by, since=since, until=until, key=key, endpoint=endpoint, model=model)
