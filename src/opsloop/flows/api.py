"""HTTP: flow versions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from opsloop.core.web.body import RawBody, takes_file
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.core.web.router import Router
from opsloop.flows import versions
from opsloop.flows.models import FlowSummary, FlowVersion

router = Router(prefix="/api/flows", tags=["flows"])


@router.post("/{name}/versions", status_code=201, openapi_extra=takes_file("application/x-tar"))
def register(workspace: Opened, caller: Asking, name: str, archive: RawBody) -> FlowVersion:
    """Keep a flow's archive as a version; content that the name has already is the version it was."""
    with workspace.writing(caller) as uow:
        return versions.register(uow, name, archive)


@router.get("")
def listed(uow: Reading, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> dict[str, Any]:
    """The current version of every flow."""
    return {"items": versions.listed(uow, limit=limit), "next": None}


@router.get("/{name}/versions")
def of_flow(uow: Reading, name: str, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> dict[str, Any]:
    """All versions of a flow, newest first."""
    return {"items": versions.listed(uow, name=name, limit=limit), "next": None}


@router.get("/{name}/versions/{version}")
def get(uow: Reading, name: str, version: str) -> FlowSummary:
    """A version with its inputs, outputs, nodes and drawing."""
    return versions.summary(uow.workspace, versions.get(uow, f"{name}@{version}"))
