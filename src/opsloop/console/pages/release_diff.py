"""`/endpoints/{name}/releases/{a}..{b}`: what two releases of an endpoint differ in."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading
from opsloop.releases import diffs
from opsloop.releases.api import numbers_of

router = PageRouter()
KINDS = {"+": "add", "-": "cut", "@": "at"}


@router.get("/endpoints/{name}/releases/{span}")
def shown(request: Request, uow: Reading, name: str, span: str) -> Response:
    before, after = numbers_of(span)
    found = diffs.diff(uow, name, before, after)
    here = f"/endpoints/{words.segment(name)}"
    frame = Frame(
        f"Release {before} to {after}",
        trail=(Place("Overview", "/"), Place(name, here)),
        cli=f"opsloop release diff {name} {before} {after}",
        json=f"/api{here}/releases/{before}..{after}",
    )
    return page(request, "release_diff.html", frame, diff=found, here=here, kinds=KINDS, now=uow.clock.now())
