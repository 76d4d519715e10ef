"""`/flows/{name}@{version}/runs`: runs of the form, each at an address of its own with its trace."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from opsloop.console import words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.console.pages.flows import command, flow_page
from opsloop.console.status import badge
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.core.workspace import Workspace
from opsloop.flows import drawing, form, run_records, running, versions
from opsloop.flows.graph import graph_of
from opsloop.flows.models import Flow, FlowVersion
from opsloop.flows.run_api import STREAM, events
from opsloop.flows.run_models import FlowRun, NodeTrace

router = PageRouter()
INPUT, VARIANT = "input.", "variant."
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
FIELDS = 1_000
NARROWEST_PCT = 0.5


@dataclass(frozen=True, slots=True)
class Typed:
    """What came from the form: texts of inputs, chosen variants, and what is wrong with files, by name."""

    texts: Mapping[str, str]
    variants: Mapping[str, str]
    faults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bar:
    """A node on the waterfall; `left_pct` and `width_pct` of the run's time."""

    id: str
    trace: NodeTrace
    left_pct: float
    width_pct: float


@router.post("/flows/{ref}/runs")
async def run(
    request: Request, workspace: Opened, caller: Asking, ref: str, accept: Annotated[str, Header()] = ""
) -> Response:
    """Run what the form says and go to the run's page; with faults, the form again."""
    caller.require(Role.DEVELOPER)
    typed = await _typed(request, workspace)
    version, flow = await run_in_threadpool(_read, workspace, caller, ref)
    reading = form.read(flow, typed.texts)
    faults = {**reading.faults, **typed.faults}
    problem = ""
    if not faults:
        try:
            ready = await running.prepare(workspace, caller, version.ref, reading.inputs, typed.variants)
        except InvalidInput as error:
            problem = error.sentence
        else:
            if STREAM in accept:
                return events(ready)
            found = await running.run(ready)
            return see_other(f"/flows/{words.segment(found.ref)}/runs/{words.segment(found.id)}")

    def again() -> Response:
        fields = form.fields(flow, texts=typed.texts, faults=faults)
        chosen = {**flow.chosen_variants, **typed.variants}
        with workspace.reading(caller) as uow:
            return flow_page(request, uow, version, flow, fields, chosen=chosen, problem=problem, status=422)

    return await run_in_threadpool(again)


@router.get("/flows/{ref}/runs")
def all_runs(uow: Reading, ref: str) -> Response:
    """A form's address is asked for when somebody reloads or shares it: the runs stand on the flow's page."""
    return see_other(f"/flows/{words.segment(versions.get(uow, ref).ref)}#runs")


@router.get("/flows/{ref}/runs/{id}")
def shown(request: Request, uow: Reading, ref: str, id: str) -> Response:
    name = versions.get(uow, ref).name
    found = run_records.get(uow, name, id)
    flow = versions.read(uow.workspace, versions.get(uow, found.ref))
    here = f"/flows/{words.segment(found.ref)}"
    ids = {node.name: f"n{index}" for index, node in enumerate(flow.nodes)}
    frame = Frame(
        f"Run of {found.ref}",
        trail=(Place("Flows", "/flows"), Place(found.ref, here)),
        cli=command(found.flow, found.inputs),
        json=f"/api{here}/runs/{words.segment(found.id)}",
    )
    return page(
        request,
        "flow_run.html",
        frame,
        run=found,
        here=here,
        drawing=drawing.draw(graph_of(flow)),
        badges={ids[each.node]: badge(each.status) for each in found.nodes if each.node in ids},
        bars=bars(found, ids),
        conversation=_conversation,
        now=uow.clock.now(),
    )


def bars(run: FlowRun, ids: Mapping[str, str]) -> list[Bar]:
    """The nodes of a run by their start, as shares of its time."""
    whole = max([run.duration_ms, *(each.start_ms + each.duration_ms for each in run.nodes)], default=0.0) or 1.0
    return [
        Bar(
            ids.get(each.node, f"t{index}"),
            each,
            left_pct=min(100 * each.start_ms / whole, 100 - NARROWEST_PCT),
            width_pct=max(100 * each.duration_ms / whole, NARROWEST_PCT),
        )
        for index, each in enumerate(sorted(run.nodes, key=lambda each: each.start_ms))
    ]


def _conversation(trace: NodeTrace) -> Sequence[tuple[str, object]]:
    """Who says what in what a model was sent."""
    return [
        (str(each.get("role", "")), each.get("content", "")) if isinstance(each, dict) else ("", each)
        for each in trace.conversation
    ]


def _read(workspace: Workspace, caller: Caller, ref: str) -> tuple[FlowVersion, Flow]:
    with workspace.reading(caller) as uow:
        version = versions.get(uow, ref)
        return version, versions.read(workspace, version)


async def _typed(request: Request, workspace: Workspace) -> Typed:
    texts: dict[str, str] = {}
    variants: dict[str, str] = {}
    faults: dict[str, str] = {}
    limit = workspace.settings.body_limit_bytes
    async with request.form(max_files=FIELDS, max_fields=FIELDS, max_part_size=limit) as sent:
        for key, value in sent.multi_items():
            if isinstance(value, UploadFile):
                name = key.removeprefix(INPUT)
                content = await value.read()
                if not value.filename and not content:
                    continue  # no file was chosen
                if value.content_type not in IMAGES:
                    faults[name] = f"the file is {value.content_type or 'of no type'}; wanted an image (PNG, JPEG, …)"
                else:
                    texts[name] = json.dumps({f"data:{value.content_type};base64": base64.b64encode(content).decode()})
            elif key.startswith(INPUT):
                texts[key.removeprefix(INPUT)] = value.replace("\r\n", "\n")
            elif key.startswith(VARIANT):
                variants[key.removeprefix(VARIANT)] = value
    return Typed(texts, variants, faults)
