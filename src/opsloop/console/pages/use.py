"""`/use/{endpoint}`: a flow for the people it was made for: its inputs as a form, its answer as they read it.

Who answers is the endpoint's release, asked over HTTP as any program asks it, so that every use counts. An HTML page
among the outputs is kept in the artifact store under its own hash and shown at an address of its own, where nothing in
it may run or load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from opsloop.console import made_reports, marking, words
from opsloop.console.asking import Given, Source, invoke, sources_of
from opsloop.console.page import SECURITY_HEADERS, Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.console.pdf import making
from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.caller import Caller
from opsloop.core.errors import NotFound
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.flows import form, versions
from opsloop.flows.form import Field
from opsloop.flows.models import Flow
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState

router = PageRouter()
INPUT, FILE = "input.", "file."
FIELDS = 200
_HTML = re.compile(r"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
_FROM_FILE = re.compile(r"\b(CSV|TSV|JSON lines|JSONL)\b")
# A page that a flow made is looked at and printed: it runs nothing, loads nothing and stands in no frame.
REPORT_HEADERS = {
    **SECURITY_HEADERS,
    "content-security-policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    ),
    "cache-control": "private, max-age=31536000, immutable",
}


class ReportMissing(NotFound):
    template = "endpoint {endpoint} has no report {digest}: it was kept long enough, or never made; make it again"


class UsesNoFlow(NotFound):
    template = "endpoint {endpoint} serves no flow that could be used on a page; see /endpoints/{endpoint}"


@dataclass(frozen=True, slots=True)
class Told:
    """What a flow gave, as it is read.

    Attributes:
        text: the answer, cut after each quote in it; empty when there is none.
        reports: addresses of HTML pages, by the output's name.
        rest: all other outputs.
    """

    text: tuple[marking.Piece, ...]
    sources: tuple[Source, ...]
    has_abstained: bool
    reports: Mapping[str, str]
    rest: Mapping[str, Any]


@router.get("/use/{endpoint}")
def asked(request: Request, uow: Reading, endpoint: str) -> Response:
    state = releases.endpoint(uow, endpoint)
    flow = _flow(uow, state)
    return _page(request, state, flow, form.fields(flow) if flow else ())


@router.post("/use/{endpoint}")
async def used(request: Request, workspace: Opened, caller: Asking, endpoint: str) -> Response:
    """The same page with what the flow gave, or with what is wrong in the form."""
    texts, faults = await _typed(request, workspace)
    state, flow = await run_in_threadpool(_read, workspace, caller, endpoint)
    if flow is None:
        raise UsesNoFlow(endpoint=endpoint)
    reading = form.read(flow, texts)
    faults = {**reading.faults, **faults}
    given = await invoke(request, endpoint, reading.inputs) if not faults else None
    told = await run_in_threadpool(tell, workspace, endpoint, flow, given) if given and not given.failed else None
    fields = form.fields(flow, texts=texts, faults=faults)
    return _page(request, state, flow, fields, given=given, told=told, status=422 if faults else 200)


Day = Annotated[str, Path(pattern=r"^\d{4}-\d\d-\d\d$")]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("/use/{endpoint}/reports/{day}/{digest}.html")
def report(uow: Reading, endpoint: str, day: Day, digest: Digest, download: bool = False) -> Response:
    """A page that the endpoint's flow made."""
    headers = dict(REPORT_HEADERS)
    if download:
        headers["content-disposition"] = f'attachment; filename="report-{digest[:8]}.html"'
    return Response(_report(uow, endpoint, day, digest), media_type="text/html; charset=utf-8", headers=headers)


@router.get("/use/{endpoint}/reports/{day}/{digest}.pdf")
def report_as_pdf(workspace: Opened, caller: Asking, endpoint: str, day: Day, digest: Digest) -> Response:
    """The same page as a PDF, which is made anew each time and kept nowhere."""
    with workspace.reading(caller) as uow:
        html = _report(uow, endpoint, day, digest)
    headers = {
        **SECURITY_HEADERS,
        "cache-control": REPORT_HEADERS["cache-control"],
        "content-disposition": f'attachment; filename="report-{digest[:8]}.pdf"',
    }
    return Response(making.pdf_of(html), media_type="application/pdf", headers=headers)


def _report(uow: UnitOfWork, endpoint: str, day: str, digest: str) -> bytes:
    name = releases.endpoint(uow, endpoint).endpoint.name
    try:
        return made_reports.read(uow.artifacts, name, f"{day}/{digest}")
    except ArtifactMissing as error:
        raise ReportMissing(endpoint=endpoint, digest=digest) from error


def tell(workspace: Workspace, endpoint: str, flow: Flow, given: Given) -> Told:
    """What a flow gave, as it is read; its HTML pages are kept."""
    outputs = dict(given.outputs)
    pages = {name: each for name, each in outputs.items() if isinstance(each, str) and _HTML.match(each)}
    reports = {name: _kept(workspace, endpoint, each) for name, each in pages.items()}
    sources = sources_of(outputs.get("citations"))
    spoken = flow.chat_output
    answer = outputs.get(spoken) if spoken is not None else None
    text = answer if isinstance(answer, str) else ""
    read = {*pages, *({spoken} if text else ()), *(("citations",) if sources else ()), "abstained"}
    return Told(
        text=tuple(marking.numbered(text, [each.quote for each in sources])),
        sources=sources,
        has_abstained=outputs.get("abstained") is True,
        reports=reports,
        rest={name: each for name, each in outputs.items() if name not in read},
    )


def _kept(workspace: Workspace, endpoint: str, html: str) -> str:
    return f"/use/{words.segment(endpoint)}/reports/{made_reports.keep(workspace, endpoint, html)}.html"


def _read(workspace: Workspace, caller: Caller, endpoint: str) -> tuple[EndpointState, Flow | None]:
    with workspace.reading(caller) as uow:
        state = releases.endpoint(uow, endpoint)
        return state, _flow(uow, state)


def _flow(uow: UnitOfWork, state: EndpointState) -> Flow | None:
    """The flow that serves most; None while nothing does. Raises: UsesNoFlow."""
    if state.stable is None:
        return None
    if state.endpoint.kind != "flow":
        raise UsesNoFlow(endpoint=state.endpoint.name)
    return versions.read(uow.workspace, versions.get(uow, state.stable.serves))


async def _typed(request: Request, workspace: Workspace) -> tuple[dict[str, str], dict[str, str]]:
    """Texts of inputs by name, those from a file too, and what is wrong with files."""
    texts: dict[str, str] = {}
    faults: dict[str, str] = {}
    limit = workspace.settings.body_limit_bytes
    async with request.form(max_files=FIELDS, max_fields=FIELDS, max_part_size=limit) as sent:
        for key, value in sent.multi_items():
            if isinstance(value, str) and key.startswith(INPUT):
                texts[key.removeprefix(INPUT)] = value.replace("\r\n", "\n")
        for key, value in sent.multi_items():
            if isinstance(value, UploadFile) and value.filename:
                name = key.removeprefix(FILE)
                try:
                    texts[name] = (await value.read()).decode("utf-8-sig").replace("\r\n", "\n")
                except UnicodeDecodeError as error:
                    faults[name] = f"{value.filename}: byte {error.start} is not UTF-8; save it as UTF-8 text"
    return texts, faults


def _page(
    request: Request,
    state: EndpointState,
    flow: Flow | None,
    fields: tuple[Field, ...],
    *,
    given: Given | None = None,
    told: Told | None = None,
    status: int = 200,
) -> Response:
    name = state.endpoint.name
    body = json.dumps({"inputs": {each.name: "…" for each in fields if each.is_required}}, ensure_ascii=False)
    address = f"{request.url.scheme}://{request.url.netloc}/endpoints/{words.segment(name)}/invoke"
    return page(
        request,
        "use.html",
        Frame(name.replace("-", " ").capitalize(), cli=f"curl {address} -d '{body}'"),
        status=status,
        state=state,
        flow=flow,
        shown_fields=[each for each in fields if not each.is_folded],
        takes_file={each.name for each in fields if _FROM_FILE.search(each.description)},
        given=given,
        told=told,
        makes_pdf=making.is_possible(),
    )
