"""`/diagnose`: paste the log of a failed job or service, and see why it failed.

The form posts to `/diagnose/shown`; `POST /diagnose` is the programs' own. Nothing of a pasted log is kept.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from opsloop.console.page import Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Reading
from opsloop.incidents.diagnosis import engine
from opsloop.incidents.diagnosis.models import Diagnosis
from opsloop.incidents.diagnosis.reading import clean, lines_of

router = PageRouter()
CHARS = 2_000_000
# Lines shown before and after each evidence line, and how many pieces of the log.
AROUND, SHOWN, PIECES = 3, 10, 200


@router.get("/diagnose")
def asked(request: Request, uow: Reading) -> Response:
    return _page(request, log="", workflow="", found=None, trouble="")


@router.post("/diagnose/shown")
async def shown(
    request: Request,
    uow: Reading,
    log: Annotated[str, Form(max_length=CHARS)] = "",
    workflow: Annotated[str, Form(max_length=CHARS)] = "",
) -> Response:
    # A form sends line breaks as two characters.
    log, workflow = (text.replace("\r\n", "\n") for text in (log, workflow))
    if not log.strip():
        return _page(request, log=log, workflow=workflow, found=None, trouble="Paste the text of a log first.")
    data = log.encode("utf-8", "replace")
    try:
        found = await run_in_threadpool(lambda: engine.diagnose([data], workflow=workflow or None))
    except InvalidInput as error:
        return _page(request, log=log, workflow=workflow, found=None, trouble=error.sentence)
    return _page(request, log=log, workflow=workflow, found=found, trouble="")


def _page(request: Request, *, log: str, workflow: str, found: Diagnosis | None, trouble: str) -> Response:
    return page(
        request,
        "diagnose.html",
        Frame("Diagnose a log", cli="opsloop diagnose job.log"),
        status=422 if trouble else 200,
        log=log,
        workflow=workflow,
        found=found,
        trouble=trouble,
        lines=_around(log, found) if found is not None else [],
        evidence={each.line for each in found.evidence[:SHOWN]} if found is not None else set(),
    )


def _around(log: str, found: Diagnosis) -> list[tuple[int, str]]:
    """The evidence lines with those around them; number 0 stands where lines are left out."""
    near = {line + far for line in (each.line for each in found.evidence[:SHOWN]) for far in range(-AROUND, AROUND + 1)}
    lines: list[tuple[int, str]] = []
    for number, raw in lines_of([log.encode("utf-8", "replace")]):
        if number not in near:
            continue
        if lines and lines[-1][0] != number - 1:
            lines.append((0, ""))
        lines.append((number, clean(raw)))
    return lines[:PIECES]
