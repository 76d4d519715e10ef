"""A run that quotes a document which is deleted keeps its course and figures, and loses its texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.flows._tables import FlowRunRow
from opsloop.rag.deletion.erasing import Erased, keeper

GONE = "its texts were erased with a document that they quote"
_AT_ONCE = 100


@keeper("flow_runs")
def erase(uow: UnitOfWork, erased: Erased) -> int:
    """Take the texts out of every run that names or quotes one of the documents; returns how many runs."""
    rows = uow.session.scalars(select(FlowRunRow).execution_options(yield_per=_AT_ONCE))
    quoting = [row for row in rows if erased.is_in([row.content, row.error or ""])]
    for row in quoting:
        row.content = _without_texts(row.content)
        row.error = GONE if row.error is not None else None
    uow.session.flush()
    return len(quoting)


def _without_texts(content: Mapping[str, Any]) -> dict[str, Any]:
    nodes = [_node_without_texts(each) for each in content["nodes"]]
    return {**content, "inputs": {}, "outputs": {"erased": GONE}, "nodes": nodes}


def _node_without_texts(node: Mapping[str, Any]) -> dict[str, Any]:
    error = GONE if node["error"] is not None else None
    return {**node, "inputs": {}, "output": None, "conversation": [], "error": error}
