"""HTTP: what there is to see of a flow version, running it, and the runs that are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Header, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic import Field as BodyField

from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.web import problems
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.core.web.router import Router
from opsloop.flows import contents, run_records, running, versions, views
from opsloop.flows.contents import SourceText
from opsloop.flows.results import TextDelta
from opsloop.flows.run_models import FlowRun
from opsloop.flows.running import Ready
from opsloop.flows.views import FlowView

router = Router(prefix="/api/flows", tags=["flows"])
STREAM = "text/event-stream"
_runs = TypeAdapter(FlowRun)


class RunWanted(BaseModel):
    """`inputs` by name; `variants`: for a node the id of the variant to use."""

    model_config = ConfigDict(extra="forbid")
    inputs: dict[str, Any] = BodyField(default_factory=dict)
    variants: dict[str, str] = BodyField(default_factory=dict)


@router.get("/{ref}")
def get(uow: Reading, ref: str) -> FlowView:
    """All that there is to see of a version: `answer@2`, or `answer` for the one registered last."""
    return views.view(uow, ref)


@router.get("/{ref}/file")
def file(uow: Reading, ref: str, path: Annotated[str, Query(max_length=1_000)]) -> SourceText:
    """A file of a version, as text."""
    return contents.text(uow.workspace, versions.get(uow, ref), path)


@router.get("/{name}/diff/{span}")
def diff(uow: Reading, name: str, span: str) -> dict[str, Any]:
    """What differs between two versions, file by file: `1..2`."""
    before, after = (versions.get(uow, f"{name}@{number}") for number in versions_of(span))
    return {"items": contents.diff(uow.workspace, before, after), "next": None}


@router.get("/{ref}/runs")
def runs(uow: Reading, ref: str, limit: Annotated[int, Query(ge=1, le=1_000)] = 20) -> dict[str, Any]:
    """The newest runs of a flow that are kept, of any version."""
    return {"items": run_records.listed(uow, versions.get(uow, ref).name, limit=limit), "next": None}


@router.post(
    "/{ref}/runs",
    status_code=201,
    responses={201: {"model": FlowRun, "content": {STREAM: {"schema": {"type": "string"}}}}},
)
async def run(
    workspace: Opened, caller: Asking, ref: str, wanted: RunWanted, accept: Annotated[str, Header()] = ""
) -> Response:
    """Run a version once and keep the run with the trace of each node; a run that failed is kept too.

    With `Accept: text/event-stream` the chat output comes in pieces: events `delta`, and at the end `run`.
    """
    ready = await running.prepare(workspace, caller, ref, wanted.inputs, wanted.variants)
    if STREAM in accept:
        return events(ready)
    found = await running.run(ready)
    headers = {"location": f"/api/flows/{found.ref}/runs/{found.id}"}
    return Response(_runs.dump_json(found), status_code=201, media_type="application/json", headers=headers)


@router.get("/{ref}/runs/{run}")
def get_run(uow: Reading, ref: str, run: str) -> FlowRun:
    """A run that is kept, with the trace of each node; long values are cut."""
    return run_records.get(uow, versions.get(uow, ref).name, run)


def versions_of(span: str) -> tuple[str, str]:
    """The two numbers of `1..2`. Raises: InvalidInput."""
    before, dots, after = span.partition("..")
    if not dots or not before.isdecimal() or not after.isdecimal():
        raise InvalidInput(field="versions to compare", value=span, wanted="two numbers such as 1..2")
    return before, after


def events(ready: Ready) -> Response:
    """A run as server-sent events."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_events(ready), media_type=STREAM, headers=headers)


async def _events(ready: Ready) -> AsyncIterator[bytes]:
    try:
        async with aclosing(running.stream(ready)) as items:
            async for item in items:
                if isinstance(item, TextDelta):
                    yield _event("delta", {"text": item.text})
                else:
                    told = {"id": item.id, "ref": item.ref, "status": item.status.value, "error": item.error}
                    yield _event("run", {**told, "outputs": item.outputs})
    except OpsloopError as error:
        yield _event("problem", problems.problem(error))


def _event(kind: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), problems.body_of(data))
