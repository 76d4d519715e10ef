"""Many documents at once: what was acknowledged is stored once, what cannot be read stops nothing."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs import inline
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.ingests import service as ingests
from opsloop.rag.ingests import staging
from opsloop.rag.ingests.models import Given, Ingest, IngestMissing, ItemState

LEAVE = Given("leave.md", b"# Leave\n\nEmployees have 25 days of paid leave a year.", {"team": "people"})
TRAVEL = Given("travel.txt", b"Flights are booked by the travel desk.")
BROKEN = Given("broken.txt", b"\xff\xfe\x00 no text")


def taken_in(workspace: Workspace, by: Caller, *documents: Given, into: str | None = None) -> Ingest:
    return ingests.take_in(workspace, by, "handbook", documents, into=into)


def seen(workspace: Workspace, by: Caller, ingest: str) -> Ingest:
    with workspace.reading(by) as uow:
        return ingests.get(uow, "handbook", ingest)


def states(workspace: Workspace, by: Caller, ingest: str) -> list[tuple[str, str]]:
    with workspace.reading(by) as uow:
        return [(each.filename, each.state.value) for each in ingests.items(uow, "handbook", ingest)]


def test_documents_wait_staged_until_the_job_stores_them(workspace: Workspace, admin: Caller) -> None:
    ingest = taken_in(workspace, admin, LEAVE, TRAVEL)

    assert (ingest.documents, ingest.waiting, ingest.created_by) == (2, 2, "test:admin")
    assert len(list(workspace.artifacts.keys("ingests/"))) == 2

    inline.run_due(workspace, kind=ingests.KIND)

    assert (seen(workspace, admin, ingest.id).stored, seen(workspace, admin, ingest.id).is_over) == (2, True)
    assert list(workspace.artifacts.keys("ingests/")) == []
    with workspace.reading(admin) as uow:
        [found] = service.search(uow, "handbook", "paid leave", filters={"team": "people"})
        assert found.filename == "leave.md"


def test_a_broken_document_is_refused_with_its_reason_and_stops_no_other(workspace: Workspace, admin: Caller) -> None:
    unsafe = Given("../etc/passwd", b"text")
    ingest = taken_in(workspace, admin, LEAVE, BROKEN, unsafe, TRAVEL)

    inline.run_due(workspace, kind=ingests.KIND)

    assert states(workspace, admin, ingest.id) == [
        ("leave.md", "stored"),
        ("broken.txt", "refused"),
        ("../etc/passwd", "refused"),
        ("travel.txt", "stored"),
    ]
    with workspace.reading(admin) as uow:
        refused = ingests.items(uow, "handbook", ingest.id, state=ItemState.REFUSED)
    assert [each.reason is not None and each.filename in each.reason for each in refused] == [True, True]


def test_the_same_bytes_are_stored_once_whatever_their_name(workspace: Workspace, admin: Caller) -> None:
    again = Given("copy.md", LEAVE.data)
    ingest = taken_in(workspace, admin, LEAVE, again)
    later = taken_in(workspace, admin, LEAVE)

    inline.run_due(workspace, kind=ingests.KIND)

    assert states(workspace, admin, ingest.id) == [("leave.md", "stored"), ("copy.md", "duplicate")]
    assert states(workspace, admin, later.id) == [("leave.md", "duplicate")]
    with workspace.reading(admin) as uow:
        assert service.stats(uow, "handbook").documents == 1


def test_more_documents_join_an_ingest(workspace: Workspace, admin: Caller) -> None:
    first = taken_in(workspace, admin, LEAVE)

    joined = taken_in(workspace, admin, TRAVEL, into=first.id)
    inline.run_due(workspace, kind=ingests.KIND)

    assert joined.id == first.id
    assert states(workspace, admin, first.id) == [("leave.md", "stored"), ("travel.txt", "stored")]


def test_joining_an_ingest_that_is_not_there_is_refused(workspace: Workspace, admin: Caller) -> None:
    taken_in(workspace, admin, LEAVE)

    with pytest.raises(IngestMissing):
        taken_in(workspace, admin, TRAVEL, into="ingest_none")


def test_no_documents_and_too_many_are_refused(sqlite_workspace: Workspace, admin: Caller) -> None:
    for documents in ([], [LEAVE] * (ingests.MAX_DOCUMENTS + 1)):
        with pytest.raises(InvalidInput, match="1 to 1000"):
            ingests.take_in(sqlite_workspace, admin, "handbook", documents)


def test_a_cancelled_ingest_says_so_and_leaves_no_bytes(sqlite_workspace: Workspace, admin: Caller) -> None:
    ingest = taken_in(sqlite_workspace, admin, LEAVE)
    with sqlite_workspace.writing(admin) as uow:
        [job] = jobs.listed(uow, kind=ingests.KIND)
        jobs.cancel(uow, job.id)

    deliver_due(sqlite_workspace)
    inline.run_due(sqlite_workspace, kind=ingests.KIND)

    with sqlite_workspace.reading(admin) as uow:
        [item] = ingests.items(uow, "handbook", ingest.id)
    assert (item.state, item.reason) == (ItemState.REFUSED, "not stored: cancelled by test:admin")
    assert staging.sweep(sqlite_workspace) == 1
    assert list(sqlite_workspace.artifacts.keys("ingests/")) == []


def test_a_document_deleted_while_its_copy_waits_does_not_come_back(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        known = service.upload(uow, "handbook", LEAVE.filename, LEAVE.data)
    ingest = taken_in(workspace, admin, LEAVE, TRAVEL)

    with workspace.writing(admin) as uow:
        deletion = service.delete_document(uow, "handbook", known.document_id)
    service.forget(workspace, deletion)
    inline.run_due(workspace, kind=ingests.KIND)

    assert states(workspace, admin, ingest.id) == [("leave.md", "refused"), ("travel.txt", "stored")]
    assert list(workspace.artifacts.keys("ingests/")) == []
    with workspace.reading(admin) as uow:
        assert [each.filename for each in service.list_documents(uow, "handbook")] == ["travel.txt"]


def test_a_collection_deleted_while_documents_wait_stays_deleted(workspace: Workspace, admin: Caller) -> None:
    taken_in(workspace, admin, LEAVE)

    with workspace.writing(admin) as uow:
        deletion = service.delete_collection(uow, "handbook")
    service.forget(workspace, deletion)
    inline.run_due(workspace, kind=ingests.KIND)

    with workspace.reading(admin) as uow:
        assert service.collections(uow) == []
        assert [each.status.value for each in jobs.listed(uow, kind=ingests.KIND)] == ["done"]
    assert list(workspace.artifacts.keys("ingests/")) == []


def test_bytes_of_a_request_that_was_cut_off_go_after_a_day(
    sqlite_workspace: Workspace, admin: Caller, clock: Any
) -> None:
    ingest = taken_in(sqlite_workspace, admin, LEAVE)
    sqlite_workspace.artifacts.put(staging.key("ingest_gone", 0), b"of a collection that is gone")
    with sqlite_workspace.writing(admin) as uow:
        ingests.numbered(uow, "handbook", ingest.id, 1)
    sqlite_workspace.artifacts.put(staging.key(ingest.id, 1), b"not acknowledged")

    assert staging.sweep(sqlite_workspace) == 1
    clock.advance(staging.RECEIVED_WITHIN.total_seconds() + 1)
    assert staging.sweep(sqlite_workspace) == 1

    assert list(sqlite_workspace.artifacts.keys("ingests/")) == [staging.key(ingest.id, 0)]


def test_a_viewer_may_look_but_not_send(workspace: Workspace, admin: Caller) -> None:
    ingest = taken_in(workspace, admin, LEAVE)
    viewer = Caller("key:viewer", Role.VIEWER)

    assert seen(workspace, viewer, ingest.id).waiting == 1
    with pytest.raises(Exception, match="this needs developer"):
        taken_in(workspace, viewer, TRAVEL)


def test_documents_come_as_json_and_as_a_form(http: TestClient, sqlite_workspace: Workspace) -> None:
    body = {"documents": [{"filename": "a.txt", "content_base64": base64.b64encode(b"Some words here").decode()}]}
    sent = http.post("/api/collections/notes/ingests", json=body)
    files = [("files", ("b.txt", b"Other words there")), ("files", ("c.bin", b"\0"))]
    more = http.post(
        f"/api/collections/notes/ingests/{sent.json()['id']}/documents",
        files=files,
        data={"metadata": '{"team": "people"}'},
    )
    inline.run_due(sqlite_workspace, kind=ingests.KIND)

    assert (sent.status_code, more.status_code) == (202, 202)
    at = f"/api/collections/notes/ingests/{sent.json()['id']}"
    assert {key: http.get(at).json()[key] for key in ("documents", "stored", "refused")} == {
        "documents": 3,
        "stored": 2,
        "refused": 1,
    }
    page = http.get(f"{at}/documents", params={"limit": 2}).json()
    assert [each["filename"] for each in page["items"]] == ["a.txt", "b.txt"]
    rest = http.get(f"{at}/documents", params={"limit": 2, "after": page["next"]}).json()
    assert [each["state"] for each in rest["items"]] == ["refused"]
    assert http.get("/api/collections/notes/ingests").json()["items"][0]["id"] == sent.json()["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"documents": [{"filename": "a.txt", "content_base64": "%%"}]}, "documents.0.content_base64"),
        ({"documents": "no list"}, "documents"),
        ({"documents": []}, "documents"),
    ],
)
def test_a_wrong_form_is_refused_by_its_field(http: TestClient, body: dict[str, Any], field: str) -> None:
    answer = http.post("/api/collections/notes/ingests", json=body)

    assert answer.status_code == 422
    assert field in answer.json()["detail"]


def test_a_form_without_files_is_refused(http: TestClient) -> None:
    answer = http.post("/api/collections/notes/ingests", files={"other": ("a.txt", b"text")})

    assert answer.status_code == 422
    assert "files" in answer.json()["detail"]


def test_what_was_acknowledged_is_stored_when_ray_is_away(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_COMPUTE", "ray")
    monkeypatch.setenv("OPSLOOP_RAY_ADDRESS", "127.0.0.1:1")
    many = [Given(f"{number}.txt", f"Part {number} of dental care is covered.".encode()) for number in range(25)]
    ingest = taken_in(sqlite_workspace, admin, *many)

    inline.run_due(sqlite_workspace, kind=ingests.KIND)

    assert seen(sqlite_workspace, admin, ingest.id).stored == 25
