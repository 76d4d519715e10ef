"""A handbook to ask, and the slice's routes in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import Caller
from opsloop.core.errors import OpsloopError
from opsloop.core.web import problems
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.api import router
from opsloop.rag.ingests import jobs as jobs  # registers what an ingest runs as
from opsloop.rag.ingests.api import router as ingests

HANDBOOK = """# Leave

Employees have 25 days of paid leave a year. Leave must be requested two weeks before it begins.

# Parental leave

Both parents may take 16 weeks of parental leave. It is paid in full.

# Travel

Flights are booked by the travel desk. Hotels may cost 150 euros a night.
"""
POLICY = "Every laptop is encrypted. A lost laptop must be reported to the security team within one hour."


@pytest.fixture
def handbook(workspace: Workspace, admin: Caller) -> Workspace:
    """A workspace on each database whose collection `handbook` holds two documents."""
    with workspace.writing(admin) as uow:
        service.upload(uow, "handbook", "handbook.md", HANDBOOK.encode(), metadata={"team": "people"})
        service.upload(uow, "handbook", "policy.txt", POLICY.encode(), metadata={"team": "security"})
    return workspace


class Routes:
    """The slice's routes with a caller who may do everything; the door in front of them has its own tests."""

    def __init__(self, workspace: Workspace, caller: Caller) -> None:
        self._caller = caller
        self._app = FastAPI()
        self._app.state.workspace = workspace
        self._app.router.routes.extend(router.routes)
        self._app.router.routes.extend(ingests.routes)
        self._app.add_exception_handler(OpsloopError, _problem)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = self._caller
        await self._app(scope, receive, send)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, OpsloopError)
    document = problems.problem(error)
    return Response(problems.body_of(document), document["status"], media_type=problems.MEDIA_TYPE)


@pytest.fixture
def http(sqlite_workspace: Workspace, admin: Caller) -> Iterator[TestClient]:
    with TestClient(Routes(sqlite_workspace, admin)) as client:
        yield client
