"""`/go/{id}`: from an id, wherever it was found, to its page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from opsloop.console.page import see_other
from opsloop.console.page_router import PageRouter
from opsloop.console.words import segment
from opsloop.core.errors import NotFound
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.flows import run_records, versions
from opsloop.models import service as models
from opsloop.monitoring.telemetry import traces
from opsloop.monitoring.telemetry.models import TraceLine
from opsloop.rag import service as rag
from opsloop.rag.models import DocumentMissing

router = PageRouter()
_PAGES = {
    "run": "/evaluations",
    "rollout": "/rollouts",
    "job": "/jobs",
    "training": "/training",
    "incident": "/incidents",
    "remediation": "/remediations",
}


@router.get("/go/{id}")
def go(uow: Reading, id: str, start: Annotated[int, Query(ge=0)] = 0, end: Annotated[int, Query(ge=0)] = 0) -> Response:
    """`start` and `end` mark a span when the id is a document's."""
    folder = _PAGES.get(id.partition("_")[0])
    if folder is not None:
        return see_other(f"{folder}/{segment(id)}")
    if (line := _trace(uow, id)) is not None:
        return see_other(f"/traces/{segment(line.trace_id)}")
    if (flow := _flow_page(uow, id)) is not None:
        return see_other(flow)
    span = f"?start={start}&end={end}#cited" if end > start else ""
    return see_other(f"/documents/{segment(_collection_of(uow, id))}/{segment(id)}{span}")


def _trace(uow: UnitOfWork, id: str) -> TraceLine | None:
    """The trace that an id is of, or the request's that it names."""
    try:
        return traces.get(uow, id, limit=1).line
    except traces.TraceMissing:
        return None


def _flow_page(uow: UnitOfWork, id: str) -> str | None:
    """The page of a flow version, of a run of one, or of a model version; None when the id is of neither."""
    noun = id.partition("_")[0]
    if noun == "frun" and (ref := run_records.flow_of(uow, id)) is not None:
        return f"/flows/{segment(ref)}/runs/{segment(id)}"
    if noun == "model" and (model := models.named(uow, id)) is not None:
        return f"/models/{segment(model)}"
    if noun == "flow" and (version := versions.named(uow, id)) is not None:
        return f"/flows/{segment(version.ref)}"
    return None


def _collection_of(uow: UnitOfWork, document: str) -> str:
    """The collection that holds a document. Raises: NotFound."""
    for collection in rag.collections(uow):
        try:
            rag.document(uow, collection.name, document)
        except DocumentMissing:
            continue
        return collection.name
    raise NotFound(noun="page for the id", name=document)
