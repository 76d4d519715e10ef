"""`/flows` and `/flows/{name}@{version}`: the graph, the form that runs it, what it is made of."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import highlight, words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.flows import contents, drawing, form, run_records, versions, views
from opsloop.flows.contents import SourceText
from opsloop.flows.form import Field
from opsloop.flows.models import Flow, FlowVersion
from opsloop.releases import service as releases

router = PageRouter()
FLOWS = 500
SOURCE_LINES = 1_500
OPEN_NODES = 4
"""Up to this many nodes their panels stand open."""
ASIDE_WIDTH = 640
"""A graph up to this width, in pixels, leaves room for the form beside it."""
CLI_CHARS = 2_000


@router.get("/flows")
def listed(request: Request, uow: Reading, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    found = versions.listed(uow, limit=FLOWS)
    frame = Frame("Flows", cli="opsloop flow list", json="/api/flows")
    shown = [each for each in found if q.lower() in each.name.lower()]
    return page(
        request,
        "flows.html",
        frame,
        versions=shown,
        any=bool(found),
        q=q,
        is_cut=len(found) == FLOWS,
        limit=FLOWS,
        now=uow.clock.now(),
    )


@router.get("/flows/{ref}")
def shown(
    request: Request,
    uow: Reading,
    ref: str,
    file: Annotated[str, Query(max_length=1_000)] = "",
    again: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """`answer`, `answer@3`. `file`: the source to show; `again`: id of a run whose inputs fill the form."""
    version = versions.get(uow, ref)
    flow = versions.read(uow.workspace, version)
    run = run_records.get(uow, version.name, again) if again else None
    fields = form.fields(flow, values=run.inputs if run else None)
    chosen = {**flow.chosen_variants, **(run.variants if run else {})}
    return flow_page(request, uow, version, flow, fields, chosen=chosen, file=file)


def flow_page(
    request: Request,
    uow: UnitOfWork,
    version: FlowVersion,
    flow: Flow,
    fields: Sequence[Field],
    *,
    chosen: Mapping[str, str],
    file: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    """The page of a version.

    Args:
        fields: the form as it is to stand there.
        chosen: the variants chosen in it, by node.
        problem: why the flow could not be run.
    """
    view = views.view_of(uow, version, flow)
    drawn = drawing.draw(view.graph)
    source = _source(uow, version, file or view.file)
    frame = Frame(
        version.ref,
        trail=(Place("Flows", "/flows"),),
        cli=command(version.name, {each.name: "…" for each in fields if each.is_required}),
        json=f"/api/flows/{words.segment(version.ref)}",
    )
    return page(
        request,
        "flow.html",
        frame,
        status=status,
        view=view,
        version=version,
        here=f"/flows/{words.segment(version.ref)}",
        fields=[each for each in fields if not each.is_folded],
        folded=[each for each in fields if each.is_folded],
        chosen=chosen,
        problem=problem,
        drawing=drawn,
        is_aside=drawn.width <= ASIDE_WIDTH,
        is_open=len(view.nodes) <= OPEN_NODES,
        source=source,
        lines=highlight.lines(source.path, source.text)[:SOURCE_LINES],
        is_current=view.versions[0].version == version.version,
        endpoints=_endpoints(uow, version) if flow.chat_output is not None else (),
        is_chat=flow.chat_output is not None,
        now=uow.clock.now(),
    )


def command(name: str, inputs: Mapping[str, Any]) -> str:
    """The same run at a command line; long inputs go through a file."""
    given = [f"--input {shlex.quote(f'{key}={_typed(each)}')}" for key, each in inputs.items() if each is not None]
    line = " ".join([f"opsloop flow run {shlex.quote(f'flows/{name}')}", *given])
    return line if len(line) <= CLI_CHARS else f"opsloop flow run {shlex.quote(f'flows/{name}')} --inputs inputs.json"


def _typed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _source(uow: UnitOfWork, version: FlowVersion, path: str) -> SourceText:
    try:
        return contents.text(uow.workspace, version, path)
    except contents.FlowFileMissing as error:
        raise InvalidInput(error.sentence, field="file", wanted="a file of the flow") from None


def _endpoints(uow: UnitOfWork, version: FlowVersion) -> tuple[str, ...]:
    """The endpoints where this flow, in any version, answers a chat."""
    found = []
    for state in releases.endpoints(uow):
        serving = [
            each.serves.partition("@")[0]
            for each in (state.stable, state.candidate)
            if each is not None and each.kind == "flow"
        ]
        if version.name in serving:
            found.append(state.endpoint.name)
    return tuple(found)
