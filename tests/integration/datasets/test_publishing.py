"""Versions published and rows registered from elsewhere, through the API, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pytest
from deltalake import DeltaTable, write_deltalake
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.server import background
from opsloop.server.control_plane import control_plane


@pytest.fixture
def api(workspace: Workspace, admin: Caller) -> TestClient:
    assert background.KINDS
    app = control_plane(workspace)

    async def as_admin(scope: Any, receive: Any, send: Any) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    return TestClient(as_admin, raise_server_exceptions=False)


@pytest.fixture
def project(workspace: Workspace) -> Path:
    return workspace.data_dir.parent


def done(api: TestClient, workspace: Workspace, answer: Any) -> dict[str, Any]:
    """What a job made of what it was asked for."""
    assert answer.status_code == 202, answer.text
    run_due(workspace)
    found = answer.json()
    kind = "publications" if "target" in found else "preparation-runs"
    result: dict[str, Any] = api.get(f"/api/{kind}/{found['id']}").json()
    return result


def test_a_table_is_registered_with_its_version(api: TestClient, workspace: Workspace, project: Path) -> None:
    write_deltalake(project / "lake", pyarrow.table({"id": [1, 2], "total": [0.5, 1.5]}))
    run = done(api, workspace, api.post("/api/datasets/orders/imports", json={"source": "delta:lake", "tags": ["x"]}))
    assert [each["ref"] for each in run["versions"]] == ["orders@1"]
    version = api.get("/api/datasets/orders/versions/x").json()
    assert (version["source"], version["rows"]) == ("delta:lake?version=0", 2)
    assert api.get("/api/datasets/orders/versions/1/rows").json()["items"][0] == {"id": 1, "total": 0.5}


def test_what_is_new_is_told_before_it_is_read(api: TestClient, workspace: Workspace, project: Path) -> None:
    source = {"delta": {"table": "lake", "columns": ["id"]}}

    def check() -> dict[str, Any]:
        found: dict[str, Any] = api.post("/api/datasets/orders/imports/check", json={"source": source}).json()
        return found

    write_deltalake(project / "lake", pyarrow.table({"id": [1, 2]}))
    assert check() == {"source": "delta:lake?columns=id&version=0", "is_new": True}
    done(api, workspace, api.post("/api/datasets/orders/imports", json={"source": source}))
    assert check()["is_new"] is False
    write_deltalake(project / "lake", pyarrow.table({"id": [3]}), mode="append")
    assert check() == {"source": "delta:lake?columns=id&version=1", "is_new": True}


def test_a_version_is_published_once_and_on_record(
    api: TestClient, workspace: Workspace, admin: Caller, project: Path
) -> None:
    with workspace.writing(admin) as uow:
        datasets.register(uow, "golden", "golden.jsonl", b'{"q": "a", "tags": ["x"]}\n{"q": "b"}\n')
    at = "/api/datasets/golden/versions/latest/publications"
    first = done(api, workspace, api.post(at, json={"to": "delta:lake/golden"}))
    again = done(api, workspace, api.post(at, json={"to": "delta:lake/golden"}))
    assert [(each["at"], each["is_new"]) for each in (first, again)] == [
        ("delta:lake/golden?version=0", True),
        ("delta:lake/golden?version=0", False),
    ]
    assert DeltaTable(project / "lake" / "golden").to_pyarrow_table().to_pylist() == [
        {"q": "a", "tags": '["x"]'},
        {"q": "b", "tags": None},
    ]
    with workspace.reading(admin) as uow:
        assert [(each.noun, each.target) for each in lineage.uses(uow, "golden")] == [
            ("publication", "delta:lake/golden")
        ]
    assert len(api.get("/api/publications", params={"dataset": "golden"}).json()["items"]) == 2


def test_what_cannot_be_published_is_told(api: TestClient, workspace: Workspace, admin: Caller, project: Path) -> None:
    with workspace.writing(admin) as uow:
        datasets.register(uow, "golden", "golden.jsonl", b'{"q": "a"}\n')
    write_deltalake(project / "lake", pyarrow.table({"id": [1]}))
    at = "/api/datasets/golden/versions/1/publications"
    found = done(api, workspace, api.post(at, json={"to": "delta:lake"}))
    assert (found["status"], "did not publish" in found["error"]) == ("failed", True)
    assert done(api, workspace, api.post(at, json={"to": "delta:lake", "replace": True}))["is_new"]
    wrong = api.post(at, json={"to": "delta:lake?version=3"})
    assert (wrong.status_code, wrong.json()["detail"]) == (
        422, "to: is 'delta:lake?version=3'; wanted a table, file or object, without a state of it"
    )  # fmt: skip


def test_held_out_rows_are_not_published_with_the_others(
    api: TestClient, workspace: Workspace, admin: Caller, project: Path
) -> None:
    from opsloop.datasets import holdouts

    with workspace.writing(admin) as uow:
        lines = "\n".join(f'{{"q": "question {n}"}}' for n in range(50))
        version = datasets.register(uow, "golden", "golden.jsonl", lines.encode())
    with workspace.writing(admin) as uow:
        holdouts.freeze(uow, version, 0.2, seed=1, by=None, reason=None)
    found = done(
        api,
        workspace,
        api.post("/api/datasets/golden/versions/1/publications", json={"to": "delta:lake", "part": "dev"}),
    )
    assert found["error"] is None
    assert DeltaTable(project / "lake").to_pyarrow_table().num_rows == found["rows"] < 50


@pytest.mark.parametrize("path", ["/api/preparation-runs/none", "/api/preparations/none", "/api/publications/none"])
def test_what_is_not_there_is_told(api: TestClient, path: str) -> None:
    assert api.get(path).status_code == 404


def test_a_preparation_over_http(api: TestClient, workspace: Workspace, project: Path) -> None:
    (project / "raw.csv").write_text("q\na\na\nb\n")
    declared = {
        "read": {"source": "raw.csv"},
        "clean": [{"drop_duplicates": True}],
        "register": {"as": "golden"},
        "schedule": "0 2 * * *",
    }
    assert api.put("/api/preparations/golden", json={"declared": declared}).json()["schedule"] == "0 2 * * *"
    run = done(api, workspace, api.post("/api/preparations/golden/runs"))
    assert [each["ref"] for each in run["versions"]] == ["golden@1"]
    dropped = api.get(f"/api/preparation-runs/{run['id']}/steps/1/dropped").json()
    assert dropped["items"] == [{"row": 2, "values": {"q": "a"}}]
    assert api.delete("/api/preparations/golden").status_code == 204
    assert api.get("/api/preparations").json()["items"] == []
    assert len(api.get("/api/preparation-runs").json()["items"]) == 1


def test_a_wrong_declaration_is_refused(api: TestClient) -> None:
    answer = api.put("/api/preparations/golden", json={"declared": {"read": {"source": "x.csv"}}})
    assert (answer.status_code, answer.json()["detail"]) == (422, "register: is missing; wanted a mapping")
