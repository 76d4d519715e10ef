"""Runs that quote a document lose its texts when it is deleted, in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from opsloop.core.workspace import Workspace
from opsloop.flows import erasing as erasing  # registers what erases
from opsloop.rag import service
from tests.integration.console import flows
from tests.integration.console.conftest import ADMIN, browser

TEXT = "The zanzibarite ledger of Quillfeather lists seven payments to an unnamed harbourmaster."


@pytest.fixture
def api(sqlite_workspace: Workspace, tmp_path: Path) -> Iterator[httpx.Client]:
    flows.whole(sqlite_workspace, tmp_path / "flows")
    with browser(sqlite_workspace) as client:
        client.headers["accept"] = "application/json"
        yield client  # type: ignore[misc]


def kept(api: httpx.Client, question: str) -> str:
    answer = api.post(
        "/api/flows/help-desk/runs",
        content=json.dumps({"inputs": {"question": question}}),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 201
    return answer.headers["location"]


def test_a_run_that_quotes_a_deleted_document_keeps_its_course_and_loses_its_texts(
    api: httpx.Client, sqlite_workspace: Workspace
) -> None:
    with sqlite_workspace.writing(ADMIN) as uow:
        document_id = service.upload(uow, "ledgers", "secret.txt", TEXT.encode()).document_id
    quoting = kept(api, f"What does “{TEXT}” mean?")
    naming = kept(api, document_id)
    other = kept(api, "How many days of leave?")
    before = {at: api.get(at).json() for at in (quoting, naming, other)}

    with sqlite_workspace.writing(ADMIN) as uow:
        deletion = service.delete_document(uow, "ledgers", document_id)
    service.forget(sqlite_workspace, deletion)

    assert deletion.removed.excerpts["flow_runs"] == 2
    assert api.get(other).json() == before[other]
    for at in (quoting, naming):
        found = api.get(at).json()
        assert (found["inputs"], found["outputs"]) == ({}, {"erased": erasing.GONE})
        assert [each["status"] for each in found["nodes"]] == [each["status"] for each in before[at]["nodes"]]
        assert found["tokens"] == before[at]["tokens"]
    files = [path for path in sqlite_workspace.data_dir.rglob("*") if path.is_file()]
    assert [path for path in files if b"Quillfeather" in path.read_bytes()] == []
