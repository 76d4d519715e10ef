"""`/flows/{name}/diff/{a}..{b}`: what two versions of a flow differ in, file by file."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading
from opsloop.flows import contents, versions
from opsloop.flows.run_api import versions_of

router = PageRouter()
KINDS = {"+": "add", "-": "cut", "@": "at"}


@router.get("/flows/{name}/diff/{span}")
def shown(request: Request, uow: Reading, name: str, span: str) -> Response:
    before, after = (versions.get(uow, f"{name}@{number}") for number in versions_of(span))
    here = f"/flows/{words.segment(after.ref)}"
    frame = Frame(
        f"{before.ref} to {after.ref}",
        trail=(Place("Flows", "/flows"), Place(after.ref, here)),
        cli=f"opsloop flow list {name}",
        json=f"/api/flows/{words.segment(name)}/diff/{before.version}..{after.version}",
    )
    return page(
        request,
        "flow_diff.html",
        frame,
        before=before,
        after=after,
        here=here,
        files=contents.diff(uow.workspace, before, after),
        kinds=KINDS,
        now=uow.clock.now(),
    )
