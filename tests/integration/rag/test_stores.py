"""Collections that are searched in a store: kept current by jobs, never a way to what the database does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.ids import CountingIds
from opsloop.core.jobs import inline
from opsloop.core.jobs import service as jobs
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag._copies import COPY, DROP
from opsloop.rag.documents.recutting import recut
from opsloop.rag.models import CollectionClosed, Found
from opsloop.rag.stores import choice, copying
from opsloop.rag.stores import jobs as store_jobs
from opsloop.rag.stores.choice import StoreNotSet
from opsloop.rag.stores.embedded import EmbeddedStore
from opsloop.rag.stores.port import Hits, StoreAway, StoredDocument, Wanted
from opsloop.rag.vectors import jobs as embedding_jobs
from opsloop.rag.vectors.indexing import EMBED
from tests.integration.rag.conftest import HANDBOOK, POLICY
from tests.sentence_encoder import write_encoder

VIEWER = Caller("test:viewer", Role.VIEWER)
QUESTION = "How many weeks of parental leave may parents take?"


class Elsewhere:
    """A store in this process that can be away and tells what was asked of it; it keeps what the embedded one does."""

    name = "pgvector"

    def __init__(self) -> None:
        self.inner = EmbeddedStore()
        self.is_away = False
        self.written: list[str] = []
        self.searched: list[Wanted] = []

    def _there(self) -> None:
        if self.is_away:
            raise StoreAway(store=self.name, reason="connection refused")

    def write(self, collection: str, documents: Sequence[StoredDocument]) -> None:
        self._there()
        self.written += [each.filename for each in documents]
        self.inner.write(collection, documents)

    def remove(self, collection: str, document_ids: Sequence[str]) -> None:
        self._there()
        self.inner.remove(collection, document_ids)

    def drop(self, collection: str) -> None:
        self._there()
        self.inner.drop(collection)

    def held(self, collection: str) -> dict[str, str]:
        self._there()
        return self.inner.held(collection)

    def search(self, collection: str, wanted: Wanted) -> Hits:
        self._there()
        self.searched.append(wanted)
        return self.inner.search(collection, wanted)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    store = Elsewhere()
    monkeypatch.setitem(choice.STORES, "pgvector", lambda workspace, settings: store)
    return store


@pytest.fixture
def handbook(workspace: Workspace, admin: Caller, elsewhere: Elsewhere) -> Workspace:
    """A collection of two documents in that store, on each database."""
    fill(workspace, admin)
    return workspace


def fill(workspace: Workspace, admin: Caller, embedder: str | None = None) -> None:
    with workspace.writing(admin) as uow:
        service.create_collection(uow, "handbook", store="pgvector", embedder=embedder)
        service.upload(uow, "handbook", "handbook.md", HANDBOOK.encode(), metadata={"team": "people"})
        service.upload(uow, "handbook", "policy.txt", POLICY.encode(), metadata={"team": "security"})


def run(workspace: Workspace) -> None:
    assert embedding_jobs, store_jobs  # imported: they register what runs here
    for kind in (EMBED, COPY, DROP):
        inline.run_due(workspace, kind=kind)


def find(workspace: Workspace, question: str = QUESTION, **options: object) -> Found:
    with workspace.reading(VIEWER) as uow:
        return service.find(uow, "handbook", question, **options)  # type: ignore[arg-type]


def names(found: Found) -> list[str]:
    return [each.filename for each in found.passages]


def is_copied(workspace: Workspace) -> bool:
    with workspace.reading(VIEWER) as uow:
        return service.stats(uow, "handbook").is_copied


def test_a_store_answers_as_the_embedded_index_does_once_it_is_current(
    handbook: Workspace, elsewhere: Elsewhere
) -> None:
    before = find(handbook)
    assert before.note == "the store pgvector is being brought up to date; the embedded index was searched"
    assert elsewhere.searched == []
    assert not is_copied(handbook)
    run(handbook)
    assert is_copied(handbook)
    after = find(handbook)
    assert after.note is None
    assert len(elsewhere.searched) == 1
    assert names(after)[0] == names(before)[0] == "handbook.md"
    assert [each.text for each in after.passages] == [each.text for each in before.passages]
    assert [each.score for each in after.passages] == pytest.approx([each.score for each in before.passages], abs=1e-3)
    assert after.passages[0].term_weights == pytest.approx(before.passages[0].term_weights)
    assert after.passages[0].similarity == pytest.approx(before.passages[0].similarity, abs=1e-3)


def test_answers_say_when_the_store_is_away(handbook: Workspace, elsewhere: Elsewhere) -> None:
    run(handbook)
    elsewhere.is_away = True
    with handbook.reading(VIEWER) as uow:
        answer = service.query(uow, "handbook", QUESTION)
    assert "16 weeks" in answer.answer
    assert answer.note == ("the store pgvector cannot be used: connection refused; the embedded index was searched")


def test_only_what_changed_is_written(handbook: Workspace, admin: Caller, elsewhere: Elsewhere, tmp_path: Path) -> None:
    with handbook.writing(admin) as uow:
        service.delete_collection(uow, "handbook")
    fill(handbook, admin, embedder=f"onnx:{write_encoder(tmp_path / 'encoder')}")
    run(handbook)
    elsewhere.written.clear()
    with handbook.writing(admin) as uow:
        service.upload(uow, "handbook", "pets.txt", b"Dogs may come on Fridays.")
    run(handbook)
    assert elsewhere.written == ["pets.txt"]
    assert names(find(handbook, "dogs on Fridays"))[0] == "pets.txt"
    assert copying.copy(handbook, "handbook") == 0


def test_a_deleted_document_leaves_the_store_and_is_never_found_in_between(
    handbook: Workspace, admin: Caller, elsewhere: Elsewhere
) -> None:
    run(handbook)
    with handbook.writing(admin) as uow:
        gone = service.list_documents(uow, "handbook")
        policy = next(each.id for each in gone if each.filename == "policy.txt")
        service.delete_document(uow, "handbook", policy)
    assert policy in elsewhere.inner.held("handbook")
    assert names(find(handbook, "A lost laptop")) == []
    run(handbook)
    assert policy not in elsewhere.inner.held("handbook")
    assert is_copied(handbook)


def test_a_hit_on_what_the_database_does_not_hold_is_left_out(
    handbook: Workspace, admin: Caller, elsewhere: Elsewhere
) -> None:
    run(handbook)
    with handbook.writing(admin) as uow:  # as if somebody had brought back an older database below a newer store
        uow.session.execute(text("DELETE FROM rag_documents WHERE filename = 'policy.txt'"))
    assert "policy.txt" not in names(find(handbook, "A lost laptop must be reported"))
    assert len(elsewhere.searched) == 1


def test_a_deleted_collection_leaves_the_store(handbook: Workspace, admin: Caller, elsewhere: Elsewhere) -> None:
    run(handbook)
    with handbook.writing(admin) as uow:
        service.delete_collection(uow, "handbook")
    run(handbook)
    assert elsewhere.inner.held("handbook") == {}


def test_a_collection_made_anew_keeps_its_copy(handbook: Workspace, admin: Caller, elsewhere: Elsewhere) -> None:
    run(handbook)
    with handbook.writing(admin) as uow:
        service.delete_collection(uow, "handbook")
        service.create_collection(uow, "handbook", store="pgvector")
        service.upload(uow, "handbook", "new.txt", b"The new handbook has one line about parental leave.")
    run(handbook)
    assert is_copied(handbook)
    assert len(elsewhere.inner.held("handbook")) == 1
    assert names(find(handbook, "parental leave")) == ["new.txt"]


def test_cutting_anew_and_reindexing_reach_the_store(handbook: Workspace, admin: Caller, elsewhere: Elsewhere) -> None:
    run(handbook)
    with handbook.writing(admin) as uow:
        recut(uow, "handbook", "words-500")
    run(handbook)
    found = find(handbook)
    assert (found.note, len(found.passages)) == (None, 1)
    with handbook.writing(admin) as uow:
        service.upload(uow, "handbook", "pets.txt", b"Dogs may come on Fridays, cats may not.")
        service.reindex(uow, "handbook")
    run(handbook)
    assert is_copied(handbook)
    assert find(handbook).note is None


def test_a_store_that_is_away_is_tried_again_until_it_is_back(
    handbook: Workspace, elsewhere: Elsewhere, clock: FakeClock
) -> None:
    elsewhere.is_away = True
    for _ in range(12):
        run(handbook)
        clock.advance(timedelta(hours=1, minutes=1).total_seconds())
    with handbook.reading(VIEWER) as uow:
        waiting = [each for each in jobs.listed(uow, kind=COPY) if each.status == "pending"]
    assert len(waiting) == 1  # of two uploads that failed; one attempt an hour is left of them
    elsewhere.is_away = False
    run(handbook)
    assert is_copied(handbook)


def test_a_copy_that_was_cut_off_is_finished(
    handbook: Workspace, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CHUNKS_AT_ONCE", 1)
    write = elsewhere.inner.write

    def once(collection: str, documents: Sequence[StoredDocument]) -> None:
        write(collection, documents)
        elsewhere.is_away = True

    monkeypatch.setattr(elsewhere.inner, "write", once)
    with pytest.raises(StoreAway):
        copying.copy(handbook, "handbook")
    assert len(elsewhere.inner.held("handbook")) == 1
    assert not is_copied(handbook)
    elsewhere.is_away = False
    monkeypatch.setattr(elsewhere.inner, "write", write)
    assert copying.copy(handbook, "handbook") == 1
    assert is_copied(handbook)


def test_filters_access_and_diversity_hold_in_a_store(handbook: Workspace, admin: Caller) -> None:
    run(handbook)
    assert set(names(find(handbook, "reported leave", filters={"team": "security"}))) == {"policy.txt"}
    assert names(find(handbook, "reported leave", filters={"team": "none"})) == []
    assert len(find(handbook, "leave laptop hotels", diversity=0.5, top_k=2).passages) == 2
    assert find(handbook, "parental leave", ranking="words").passages[0].filename == "handbook.md"
    with handbook.writing(admin) as uow:
        service.give_access(uow, "handbook", readers=["key:people"], writers=None)
    with pytest.raises(CollectionClosed):
        find(handbook)


def test_an_encoder_makes_vectors_for_the_store_too(
    workspace: Workspace, admin: Caller, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    fill(workspace, admin, embedder=f"onnx:{write_encoder(tmp_path / 'encoder')}")
    run(workspace)
    found = find(workspace)
    assert found.note is None
    assert elsewhere.searched[-1].vector is not None
    assert found.passages[0].similarity != 0


@pytest.mark.parametrize("store", ["oracle", "", "PGVECTOR"])
def test_a_store_of_no_known_name_is_refused(sqlite_workspace: Workspace, admin: Caller, store: str) -> None:
    with (
        sqlite_workspace.writing(admin) as uow,
        pytest.raises(InvalidInput, match="wanted embedded or pgvector or dynamodb"),
    ):
        service.create_collection(uow, "handbook", store=store)


def test_a_store_that_is_not_set_is_told_when_a_collection_is_made(http: TestClient) -> None:
    answer = http.post("/api/collections", json={"name": "handbook", "store": "pgvector"})
    assert answer.status_code == 503
    assert "OPSLOOP_RAG_PGVECTOR_URL" in answer.json()["detail"]


def test_the_state_databases_own_postgresql_is_a_store_without_a_setting(
    tmp_path: Path, migrated_url: str, clock: FakeClock, admin: Caller
) -> None:
    """On SQLite there is nothing to take it from; on PostgreSQL a real copy is made and searched beside the state."""
    workspace = open_workspace(
        CoreSettings(data_dir=tmp_path / "data", database_url=migrated_url), clock=clock, ids=CountingIds()
    )
    try:
        if workspace.database.is_sqlite:
            with workspace.writing(admin) as uow, pytest.raises(StoreNotSet):
                service.create_collection(uow, "handbook", store="pgvector")
            return
        fill(workspace, admin)
        run(workspace)
        with workspace.reading(VIEWER) as uow:
            rows = uow.session.execute(text("SELECT filename, text FROM opsloop_passages.handbook")).all()
        assert {row.filename for row in rows} == {"handbook.md", "policy.txt"}
        found = find(workspace)
        assert found.note is None
        assert "16 weeks of parental leave" in found.passages[0].text
    finally:
        workspace.close()


def test_a_store_on_another_server_is_searched_and_told_when_it_is_away(
    tmp_path: Path, postgres_url: str, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_RAG_PGVECTOR_URL", postgres_url)
    monkeypatch.setenv("OPSLOOP_RAG_STORE", "pgvector")
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    try:
        with workspace.writing(admin) as uow:
            service.upload(uow, "handbook", "handbook.md", HANDBOOK.encode())
        run(workspace)
        assert find(workspace).note is None
        admin_engine = create_engine(postgres_url)
        with admin_engine.begin() as connection:
            connection.execute(text("ALTER TABLE opsloop_passages.handbook RENAME COLUMN terms TO words"))
        admin_engine.dispose()
        found = find(workspace)
        assert "16 weeks" in found.passages[0].text
        assert found.note is not None
        assert found.note.startswith("the store pgvector cannot be used: ")
    finally:
        workspace.close()
