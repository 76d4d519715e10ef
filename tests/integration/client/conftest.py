"""A client to the slices' real routes on a real database, in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsloop.client.http import Client
from opsloop.client.in_process import InProcess
from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from tests.integration.client.routes import Routes


@pytest.fixture
def client(sqlite_workspace: Workspace, admin: Caller) -> Iterator[Client]:
    with Client("http://localhost", transport=InProcess(Routes(sqlite_workspace, admin))) as client:
        yield client
