"""Freeze and thaw an endpoint from its page: forms that answer with where to look."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Form
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Writing
from opsloop.releases import freezes

router = PageRouter()
MOST_HOURS = 10_000


@router.post("/endpoints/{name}/freeze")
def freeze(
    uow: Writing,
    name: str,
    reason: Annotated[str, Form(max_length=2_000)] = "",
    hours: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Give no candidate traffic. Args: hours: until it ends by itself; empty: until somebody thaws it."""
    until = None if not hours.strip() else uow.clock.now() + timedelta(hours=_hours(hours))
    freezes.begin(uow, name, reason=reason, until=until)
    return see_other(f"/endpoints/{words.segment(name)}")


@router.post("/endpoints/{name}/thaw")
def thaw(uow: Writing, name: str) -> Response:
    freezes.thaw(uow, name)
    return see_other(f"/endpoints/{words.segment(name)}")


def _hours(given: str) -> float:
    try:
        found = float(given)
    except ValueError:
        found = 0.0
    if not 0 < found <= MOST_HOURS:
        raise InvalidInput(field="hours", value=given, wanted=f"a number above 0 and up to {MOST_HOURS:,}, or nothing")
    return found
