"""HTTP: the report for an audit."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response

from opsloop.compliance import collecting, forms
from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router

router = Router(tags=["audit"])


@router.get("/api/audit/report", response_class=Response)
def report(
    uow: Reading,
    since: Annotated[str, Query(alias="from", max_length=40, description="a day or an instant, such as 2027-01-01")],
    until: Annotated[str, Query(alias="to", max_length=40, description="the first one after the period")],
    form: Annotated[Literal["json", "html"], Query(alias="format")] = "json",
) -> Response:
    """What ran in a period, on what data, who let it, how it did, and whether the record holds; for administrators."""
    found = collecting.collect(uow, collecting.period(since, until))
    if form == "json":
        return Response(forms.as_json(found), media_type="application/json")
    headers = {"content-security-policy": forms.CSP, "x-content-type-options": "nosniff"}
    return Response(forms.as_html(found), media_type="text/html; charset=utf-8", headers=headers)
