"""Documents in, found, deleted: on both databases."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag import service
from opsloop.rag.models import CollectionExists, CollectionMissing, DocumentMissing, Passage, Uploaded
from opsloop.rag.parsing import pieces
from opsloop.rag.service import DocumentTooLarge
from opsloop.rag.text import words

VIEWER = Caller("test:viewer", Role.VIEWER)
TABLES = ("rag_documents", "rag_chunks", "rag_windows", "rag_embedders")


def search(workspace: Workspace, question: str, **options: object) -> list[Passage]:
    with workspace.reading(VIEWER) as uow:
        return service.search(uow, "handbook", question, **options)  # type: ignore[arg-type]


def upload(workspace: Workspace, by: Caller, name: str, data: str) -> Uploaded:
    with workspace.writing(by) as uow:
        return service.upload(uow, "handbook", name, data.encode())


def test_others_write_while_a_document_is_read(
    handbook: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pieces.parsed

    def slow(filename: str, data: bytes, chunking: str) -> pieces.Parsed:
        with handbook.writing(admin) as uow:
            service.create_collection(uow, "meanwhile")
        return real(filename, data, chunking)

    monkeypatch.setattr(pieces, "parsed", slow)
    taken = service.take_in(handbook, admin, "handbook", "new.txt", b"The canteen opens at noon.")
    assert not taken.duplicate
    assert search(handbook, "When does the canteen open?")[0].document_id == taken.document_id
    again = service.take_in(handbook, admin, "handbook", "other.txt", b"The canteen opens at noon.")
    assert (again.document_id, again.duplicate) == (taken.document_id, True), "known bytes are not read again"


def test_a_document_is_cut_as_its_collection_wants_it_when_it_is_stored(
    handbook: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, cut = pieces.parsed, []

    def meanwhile_made(filename: str, data: bytes, chunking: str) -> pieces.Parsed:
        cut.append(chunking)
        if len(cut) == 1:
            with handbook.writing(admin) as uow:
                service.create_collection(uow, "rules", chunking="words-500")
        return real(filename, data, chunking)

    monkeypatch.setattr(pieces, "parsed", meanwhile_made)
    service.take_in(handbook, admin, "rules", "rules.txt", b"Rules are written down.")
    assert cut == ["sentences-200", "words-500"]


def test_words_are_counted_and_stemmed_before_the_transaction_that_stores_a_document(
    handbook: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = words.term_ids
    inside: list[int] = []

    @contextmanager
    def writing(by: Caller) -> Iterator[UnitOfWork]:
        with real_writing(by) as uow:
            inside.append(0)
            yield uow

    def counted(text: str) -> array[int]:
        if inside:
            inside[-1] += 1
        return real(text)

    real_writing = handbook.writing
    monkeypatch.setattr(handbook, "writing", writing)
    monkeypatch.setattr(words, "term_ids", counted)
    service.take_in(handbook, admin, "handbook", "new.txt", b"The canteen opens at noon.\n\n" * 500)
    assert inside == [0]


@pytest.mark.parametrize("documents", [3, 1_203])
def test_the_pieces_of_many_documents_are_each_under_their_own(
    workspace: Workspace, admin: Caller, documents: int
) -> None:
    lines = [
        {"_id": f"{number}.txt#{part}", "title": "Rooms", "text": f"Room {number} part {part} holds a projector."}
        for number in range(documents)
        for part in range(2)
    ]
    with workspace.writing(admin) as uow:
        uploaded = service.upload_passages(uow, "rooms", "\n".join(map(json.dumps, lines)).encode())
    assert [one.chunks for one in uploaded] == [2] * documents
    joined = text(
        "SELECT d.filename, c.number, c.passage_id, c.text, w.start - c.start, w.terms, c.seq, w.seq "
        "FROM rag_windows w JOIN rag_chunks c ON c.seq = w.chunk_seq JOIN rag_documents d ON d.id = c.document_id "
        "ORDER BY w.seq"
    )
    with workspace.reading(VIEWER) as uow:
        rows = uow.session.execute(joined).all()
    assert [row[:5] for row in rows] == [
        (f"{number}.txt", part, f"{number}.txt#{part}", f"Room {number} part {part} holds a projector.", 0)
        for number in range(documents)
        for part in range(2)
    ]
    assert all(bytes(row[5]) == words.stored_terms(row[3]) for row in rows)
    assert [row[6] for row in rows] == sorted(row[6] for row in rows)


def test_the_passage_that_answers_comes_first(handbook: Workspace) -> None:
    best = search(handbook, "Whom do I tell when my laptop is lost?")[0]
    assert best.filename == "policy.txt"
    assert "lost laptop must be reported" in best.text


def test_a_passage_is_what_the_document_holds_at_its_span(handbook: Workspace) -> None:
    for found in search(handbook, "paid leave, flights and laptops"):
        with handbook.reading(VIEWER) as uow:
            stored = service.document_text(uow, "handbook", found.document_id)
        assert stored[found.start : found.end] == found.text
        assert found.start <= found.window_start < found.window_end <= found.end


def test_an_answer_quotes_the_document_exactly(handbook: Workspace) -> None:
    with handbook.reading(VIEWER) as uow:
        found = service.query(uow, "handbook", "How many days of paid leave do employees have?")
        assert not found.abstained
        assert "Employees have 25 days of paid leave a year." in found.answer
        for one in found.citations:
            assert service.document_text(uow, "handbook", one.document_id)[one.start : one.end] == one.quote


def test_a_question_the_documents_do_not_answer_is_refused(handbook: Workspace) -> None:
    with handbook.reading(VIEWER) as uow:
        found = service.query(uow, "handbook", "Who won the football world cup in Brazil?")
    assert (found.abstained, found.citations) == (True, ())


def test_the_same_bytes_are_stored_once_under_one_id(handbook: Workspace, admin: Caller) -> None:
    first = upload(handbook, admin, "a.txt", "The canteen opens at noon.")
    again = upload(handbook, admin, "b.txt", "The canteen opens at noon.")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert (again.document_id, again.chunks, again.sha256) == (first.document_id, first.chunks, first.sha256)
    with handbook.reading(VIEWER) as uow:
        assert service.stats(uow, "handbook").documents == 3


def test_an_id_is_the_same_after_a_deletion_and_a_new_upload(handbook: Workspace, admin: Caller) -> None:
    first = upload(handbook, admin, "a.txt", "The canteen opens at noon.")
    with handbook.writing(admin) as uow:
        service.delete_document(uow, "handbook", first.document_id)
    again = upload(handbook, admin, "a.txt", "The canteen opens at noon.")
    assert (again.document_id, again.duplicate) == (first.document_id, False)


def test_a_new_document_is_found_at_once(handbook: Workspace, admin: Caller) -> None:
    assert all(found.filename != "canteen.txt" for found in search(handbook, "When does the canteen open?"))
    upload(handbook, admin, "canteen.txt", "The canteen opens at noon.")
    assert search(handbook, "When does the canteen open?")[0].filename == "canteen.txt"


def test_an_upload_that_is_rolled_back_is_never_found(handbook: Workspace, admin: Caller) -> None:
    def upload_and_fail() -> None:
        with handbook.writing(admin) as uow:
            service.upload(uow, "handbook", "canteen.txt", b"The canteen opens at noon.")
            assert service.search(uow, "handbook", "canteen")[0].filename == "canteen.txt"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        upload_and_fail()
    assert search(handbook, "canteen") == []
    upload(handbook, admin, "kitchen.txt", "The kitchen is on the second floor.")
    assert search(handbook, "canteen") == []


def test_deletion_removes_text_terms_and_vectors(handbook: Workspace, admin: Caller) -> None:
    with handbook.reading(VIEWER) as uow:
        found = [one.id for one in service.list_documents(uow, "handbook")]
    for document_id in found:
        with handbook.writing(admin) as uow:
            service.delete_document(uow, "handbook", document_id)
    assert search(handbook, "laptop leave") == []
    with handbook.reading(VIEWER) as uow:
        counts = [uow.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES]
        assert counts == [0, 0, 0, 0]
        assert service.query(uow, "handbook", "How many days of leave?").abstained


def test_a_deleted_collection_leaves_nothing(handbook: Workspace, admin: Caller) -> None:
    with handbook.writing(admin) as uow:
        service.delete_collection(uow, "handbook")
    with handbook.reading(VIEWER) as uow:
        counts = [uow.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES]
        assert counts == [0, 0, 0, 0]
        with pytest.raises(CollectionMissing):
            service.search(uow, "handbook", "leave")


@pytest.mark.parametrize(
    ("filters", "filenames"),
    [
        ({"team": "security"}, {"policy.txt"}),
        ({"team": ["people", "security"]}, {"policy.txt", "handbook.md"}),
        ({"filename": "handbook.md"}, {"handbook.md"}),
        ({"filename": "handbook.md", "team": "security"}, set()),
        ({"unknown": "x"}, set()),
        ({"team": []}, set()),
    ],
)
def test_filters_hold_exactly(handbook: Workspace, filters: dict[str, str], filenames: set[str]) -> None:
    found = search(handbook, "laptop and paid leave", filters=filters)
    assert {one.filename for one in found} == filenames


def test_ready_passages_keep_their_ids(workspace: Workspace, admin: Caller) -> None:
    rows = [{"_id": f"plan.pdf#page={page}", "text": f"Page {page} speaks of topic{page}."} for page in (1, 2, 3)]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    with workspace.writing(admin) as uow:
        (stored,) = service.upload_passages(uow, "plans", data)
        assert (stored.chunks, stored.duplicate) == (3, False)
        assert service.upload_passages(uow, "plans", data)[0].duplicate
    with workspace.reading(VIEWER) as uow:
        assert service.search(uow, "plans", "topic2")[0].passage_id == "plan.pdf#page=2"


def test_vectors_are_fitted_anew_when_the_collection_has_grown(workspace: Workspace, admin: Caller) -> None:
    identities = []
    for number in range(8):
        upload(workspace, admin, f"{number}.txt", f"Document {number} speaks of subject{number} and cats.")
        with workspace.reading(VIEWER) as uow:
            identities.append(service.stats(uow, "handbook").embedder)
    assert 3 <= len(set(identities)) <= 6
    with workspace.reading(VIEWER) as uow:
        missing = uow.session.execute(text("SELECT count(*) FROM rag_windows WHERE vector IS NULL")).scalar_one()
    assert missing == 0


def test_a_reindex_learns_from_everything_there_is(handbook: Workspace, admin: Caller) -> None:
    with handbook.writing(admin) as uow:
        before = service.stats(uow, "handbook")
        after = service.reindex(uow, "handbook")
    assert (before.windows, before.documents) == (after.windows, after.documents)
    assert search(handbook, "lost laptop")[0].filename == "policy.txt"


def test_a_collection_can_be_ranked_by_words_alone(handbook: Workspace, admin: Caller) -> None:
    question = "laptop weeks"
    fused = [found.score for found in search(handbook, question)]
    with handbook.writing(admin) as uow:
        assert service.weigh(uow, "handbook", 0.0).vector_weight == 0.0
    words = [found.score for found in search(handbook, question)]
    assert words != fused
    with handbook.writing(admin) as uow, pytest.raises(InvalidInput, match="vector_weight"):
        service.weigh(uow, "handbook", 1.5)


def test_listing_goes_on_where_it_ended(handbook: Workspace) -> None:
    with handbook.reading(VIEWER) as uow:
        (first,) = service.list_documents(uow, "handbook", limit=1)
        (second,) = service.list_documents(uow, "handbook", after=first.id)
    assert {first.filename, second.filename} == {"handbook.md", "policy.txt"}
    assert {first.metadata["team"], second.metadata["team"]} == {"people", "security"}


def test_a_collection_is_created_once(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        service.create_collection(uow, "plans", chunking="words-500")
    with workspace.writing(admin) as uow, pytest.raises(CollectionExists, match="choose another name"):
        service.create_collection(uow, "plans")
    with workspace.reading(VIEWER) as uow:
        assert [one.chunking for one in service.collections(uow)] == ["words-500"]
        assert service.search(uow, "plans", "anything") == []


def test_two_collections_do_not_see_each_other(handbook: Workspace, admin: Caller) -> None:
    with handbook.writing(admin) as uow:
        service.upload(uow, "other", "policy.txt", b"Laptops are orange here.")
        assert {one.text for one in service.search(uow, "other", "laptop")} == {"Laptops are orange here."}
    assert "orange" not in " ".join(found.text for found in search(handbook, "orange laptop"))


def test_threads_that_ask_while_others_upload_get_consistent_answers(handbook: Workspace, admin: Caller) -> None:
    def ask(_: int) -> str:
        return search(handbook, "Whom do I tell when my laptop is lost?")[0].filename

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(ask, number) for number in range(60)]
        for number in range(5):
            upload(handbook, admin, f"{number}.txt", f"Room {number} has a projector.")
        assert {one.result() for one in asked} == {"policy.txt"}


def test_the_same_bytes_uploaded_at_once_are_stored_once(handbook: Workspace, admin: Caller) -> None:
    def send(_: int) -> bool:
        return upload(handbook, admin, "a.txt", "Bicycles are lent at the gate.").duplicate

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(send, range(4))) == [False, True, True, True]


def test_uploads_and_deletions_are_on_the_record(handbook: Workspace, admin: Caller) -> None:
    with handbook.reading(VIEWER) as uow:
        actions = uow.session.execute(text("SELECT action FROM audit_events ORDER BY seq")).scalars().all()
    assert actions == ["collection.created", "document.uploaded", "document.uploaded"]


def test_a_viewer_may_ask_and_not_change(handbook: Workspace) -> None:
    with handbook.writing(VIEWER) as uow:
        with pytest.raises(NotAllowed):
            service.upload(uow, "handbook", "a.txt", b"text")
        with pytest.raises(NotAllowed):
            service.delete_collection(uow, "handbook")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"question": " "}, "question: is ' '; wanted a question of 1 to 4000 characters"),
        ({"question": "x" * 4_001}, "question"),
        ({"top_k": 0}, "top_k: is 0; wanted a whole number from 1 to 50"),
        ({"top_k": 51}, "top_k"),
        ({"diversity": 1.0}, "diversity"),
        ({"filters": {"team": [1]}}, r"filters\.team"),
    ],
)
def test_a_question_out_of_range_is_refused(handbook: Workspace, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        search(handbook, **{"question": "leave", **options})  # type: ignore[arg-type]


def test_what_is_not_there_is_named(handbook: Workspace) -> None:
    with handbook.reading(VIEWER) as uow:
        with pytest.raises(CollectionMissing, match="no collection named 'plans'"):
            service.stats(uow, "plans")
        with pytest.raises(DocumentMissing, match="collection 'handbook' holds no document 'doc_x'"):
            service.document(uow, "handbook", "doc_x")


def test_a_document_over_the_limit_is_refused_with_the_setting(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow, pytest.raises(DocumentTooLarge, match="OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES"):
        service.upload(uow, "handbook", "a.txt", b"a " * 5_000_001)
