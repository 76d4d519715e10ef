"""Deletion that deletes: nothing of a document is left in any file, nor in what others kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.db.database import Database
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag import service
from opsloop.rag.deletion import erasing, retention
from opsloop.rag.deletion.erasing import Erased, erased
from opsloop.rag.deletion.tending import INDEXES_EVERY_S, Tending
from opsloop.rag.index.cache import cache_of
from opsloop.rag.models import Removed

SECRET = "The zanzibarite ledger of Quillfeather lists seven payments to an unnamed harbourmaster in the spring."
OTHER = "Flights are booked by the travel desk."


def uploaded(workspace: Workspace, by: Caller, text: str, filename: str = "secret.txt") -> str:
    with workspace.writing(by) as uow:
        return service.upload(uow, "handbook", filename, text.encode()).document_id


def delete(workspace: Workspace, by: Caller, document_id: str) -> Removed:
    with workspace.writing(by) as uow:
        deletion = service.delete_document(uow, "handbook", document_id)
    service.forget(workspace, deletion)
    return deletion.removed


def files_with(folder: Path, words: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


def test_no_file_holds_the_text_of_a_deleted_document(sqlite_workspace: Workspace, admin: Caller) -> None:
    long = "\n\n".join(f"{SECRET} It is entry {number} of the ledger." for number in range(300))
    ids = [uploaded(sqlite_workspace, admin, text, f"{at}.txt") for at, text in enumerate((SECRET, long, OTHER))]
    folder = sqlite_workspace.data_dir
    assert files_with(folder, b"Quillfeather") != []

    for document_id in ids[:2]:
        delete(sqlite_workspace, admin, document_id)

    assert files_with(folder, b"Quillfeather") == []
    assert files_with(folder, b"travel desk") != []


def test_no_file_holds_the_text_of_a_deleted_collection(sqlite_workspace: Workspace, admin: Caller) -> None:
    for number in range(30):
        uploaded(sqlite_workspace, admin, f"{SECRET} Entry {number}.", f"{number}.txt")

    with sqlite_workspace.writing(admin) as uow:
        deletion = service.delete_collection(uow, "handbook")
    service.forget(sqlite_workspace, deletion)

    assert deletion.removed.documents == 30
    assert files_with(sqlite_workspace.data_dir, b"Quillfeather") == []


def test_what_was_owed_before_a_kill_is_erased_after_it(sqlite_workspace: Workspace, admin: Caller) -> None:
    database = sqlite_workspace.database
    document_id = uploaded(sqlite_workspace, admin, SECRET)
    with sqlite_workspace.writing(admin) as uow:
        service.delete_document(uow, "handbook", document_id)  # and nothing after it

    assert debt(database) > 0
    Tending(sqlite_workspace).tend()
    assert debt(database) == 0


def debt(database: Database) -> int:
    with database.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def test_a_reader_in_the_middle_delays_the_log_and_tending_makes_up_for_it(
    sqlite_workspace: Workspace, admin: Caller
) -> None:
    document_id = uploaded(sqlite_workspace, admin, SECRET)
    with sqlite_workspace.reading(admin) as uow:
        assert service.stats(uow, "handbook").documents == 1
        delete(sqlite_workspace, admin, document_id)
        assert files_with(sqlite_workspace.data_dir, b"Quillfeather") != []

    Tending(sqlite_workspace).tend()

    assert files_with(sqlite_workspace.data_dir, b"Quillfeather") == []


def test_deleting_says_what_was_removed(workspace: Workspace, admin: Caller) -> None:
    document_id = uploaded(workspace, admin, SECRET)

    removed = delete(workspace, admin, document_id)

    assert (removed.documents, removed.chunks, removed.windows) == (1, 1, 1)


def test_the_routes_tell_it_too(http: TestClient, sqlite_workspace: Workspace, admin: Caller) -> None:
    document_id = uploaded(sqlite_workspace, admin, SECRET)
    uploaded(sqlite_workspace, admin, OTHER, "other.txt")

    one = http.delete(f"/api/collections/handbook/documents/{document_id}")
    rest = http.delete("/api/collections/handbook")

    assert (one.status_code, one.json()["documents"], one.json()["chunks"]) == (200, 1, 1)
    assert (rest.status_code, rest.json()["documents"], rest.json()["windows"]) == (200, 1, 1)


def test_who_keeps_texts_erases_them_in_the_same_transaction(
    workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Erased] = []

    def erase(uow: UnitOfWork, erased: Erased) -> int:
        heard.append(erased)
        return 3

    monkeypatch.setattr(erasing, "_KEEPERS", {"notes": erase})
    document_id = uploaded(workspace, admin, SECRET)

    removed = delete(workspace, admin, document_id)

    assert removed.excerpts == {"notes": 3}
    assert heard[0].document_ids == {document_id}


@pytest.mark.parametrize(
    ("kept", "is_in"),
    [
        ({"output": [{"document_id": "doc_1"}]}, True),
        ({"answer": "It says: “LISTS seven payments, to an unnamed harbourmaster in the spring”."}, True),
        ({"answer": "There were seven payments to somebody."}, False),
        (["short words here"], True),
        ("short words", False),
        (None, False),
    ],
)
def test_a_text_quotes_a_document_by_its_id_or_by_words_in_a_row(kept: Any, is_in: bool) -> None:
    found = erased("handbook", {"doc_1": SECRET, "doc_2": "Short words here."})

    assert found.is_in(kept) == is_in


def test_an_index_in_memory_goes_with_its_collection(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    uploaded(sqlite_workspace, admin, SECRET)
    with sqlite_workspace.reading(admin) as uow:
        assert service.search(uow, "handbook", "zanzibarite ledger") != []
    cache = cache_of(sqlite_workspace, limit_bytes=1)
    tending = Tending(sqlite_workspace)
    tending.tend()
    assert cache.size_bytes > 0

    with sqlite_workspace.writing(admin) as uow:
        service.delete_collection(uow, "handbook")
    clock.advance(INDEXES_EVERY_S)
    tending.tend()

    assert cache.size_bytes == 0


def test_documents_go_when_their_time_is_over(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    uploaded(workspace, admin, SECRET)
    with workspace.writing(admin) as uow:
        assert service.retain(uow, "handbook", 30).retention_days == 30
    clock.advance(20 * 86_400)
    uploaded(workspace, admin, OTHER, "other.txt")
    tending = Tending(workspace)

    tending.tend()
    assert names(workspace, admin) == {"secret.txt", "other.txt"}
    clock.advance(11 * 86_400)
    tending.tend()

    assert names(workspace, admin) == {"other.txt"}


def test_documents_that_are_kept_always_stay(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    uploaded(workspace, admin, SECRET)
    with workspace.writing(admin) as uow:
        service.retain(uow, "handbook", 30)
        service.retain(uow, "handbook", None)
    clock.advance(10_000 * 86_400)

    with workspace.reading(admin) as uow:
        assert retention.due(uow) == []


def test_an_age_that_is_none_is_refused(http: TestClient, sqlite_workspace: Workspace, admin: Caller) -> None:
    uploaded(sqlite_workspace, admin, SECRET)

    answer = http.put("/api/collections/handbook/retention", json={"days": 0})

    assert answer.status_code == 422
    assert "days" in answer.json()["detail"]


def names(workspace: Workspace, by: Caller) -> set[str]:
    with workspace.reading(by) as uow:
        return {each.filename for each in service.list_documents(uow, "handbook")}
