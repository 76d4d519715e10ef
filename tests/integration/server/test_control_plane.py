"""The control plane's application: what is made once for a process, and what for each application."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.server.control_plane import control_plane


def test_a_second_application_has_the_routes_of_the_first(sqlite_workspace: Workspace) -> None:
    """Making them again takes more than a second, in the first request for a page."""
    first, second = control_plane(sqlite_workspace), control_plane(sqlite_workspace)
    made = {id(route) for route in first.routes}
    again = [route for route in second.routes if id(route) not in made]
    assert {getattr(route, "path", None) for route in again} == {"/openapi.json"}


def test_two_applications_have_a_workspace_each(sqlite_workspace: Workspace, tmp_path: Path) -> None:
    other = open_workspace(CoreSettings(data_dir=tmp_path / "other"))
    with TestClient(control_plane(sqlite_workspace)) as one, TestClient(control_plane(other)) as two:
        other.close()
        (tmp_path / "other" / "state.db").unlink()
        assert one.get("/ready").status_code == 200
        assert two.get("/ready").status_code == 503
