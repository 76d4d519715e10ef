"""Lists of documents as people look through them, and the chunks at a place in a text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.documents import chunks, listing
from opsloop.rag.documents.listing import PAGE, Look
from opsloop.rag.index.retrieve import ENCODER_WEIGHT
from opsloop.rag.models import CollectionMissing, DocumentMissing


def names(workspace: Workspace, caller: Caller, wanted: Look) -> list[str]:
    with workspace.reading(caller) as uow:
        return [each.filename for each in listing.look(uow, "handbook", wanted).documents]


def test_documents_are_ordered_by_each_column_both_ways(handbook: Workspace, admin: Caller) -> None:
    assert names(handbook, admin, Look(sort="name", descending=False)) == ["handbook.md", "policy.txt"]
    assert names(handbook, admin, Look(sort="words")) == ["handbook.md", "policy.txt"]
    assert names(handbook, admin, Look(sort="words", descending=False)) == ["policy.txt", "handbook.md"]


def test_documents_are_found_by_a_part_of_their_name(handbook: Workspace, admin: Caller) -> None:
    assert names(handbook, admin, Look("POL")) == ["policy.txt"]
    assert names(handbook, admin, Look("%")) == []
    assert names(handbook, admin, Look("_")) == []


def test_pages_hold_every_document_once(handbook: Workspace, admin: Caller) -> None:
    with handbook.writing(admin) as uow:
        for number in range(PAGE):
            service.upload(uow, "handbook", f"note-{number}.txt", f"Note number {number}.".encode())
    with handbook.reading(admin) as uow:
        pages = [listing.look(uow, "handbook", Look(number=number)) for number in (1, 2, 3)]
    assert [len(each.documents) for each in pages] == [PAGE, 2, 0]
    assert len({each.id for one in pages for each in one.documents}) == PAGE + 2
    assert {(each.total, each.pages) for each in pages} == {(PAGE + 2, 2)}


def test_a_shelf_tells_what_a_collection_holds(handbook: Workspace, admin: Caller) -> None:
    with handbook.writing(admin) as uow:
        service.create_collection(uow, "empty")
    with handbook.reading(admin) as uow:
        empty, full = listing.shelves(uow)
        stats = service.stats(uow, "handbook")
    assert (empty.documents, empty.chunks, empty.embedder) == (0, 0, None)
    assert (full.documents, full.chunks, full.embedder) == (2, stats.chunks, stats.embedder)


def test_the_share_of_vectors_is_what_was_set_or_what_the_embedder_earns(handbook: Workspace, admin: Caller) -> None:
    with handbook.writing(admin) as uow:
        before = listing.vector_share(service.collection(uow, "handbook"), service.stats(uow, "handbook"))
        encoder = replace(service.collection(uow, "handbook"), embedder="onnx:encoder")
        encoded = listing.vector_share(encoder, service.stats(uow, "handbook"))
        after = listing.vector_share(service.weigh(uow, "handbook", 0.25), service.stats(uow, "handbook"))
    assert before is not None
    assert encoded == ENCODER_WEIGHT
    assert 0 <= before <= 1
    assert after == 0.25


def test_the_chunk_around_a_span_holds_it(handbook: Workspace, admin: Caller) -> None:
    with handbook.reading(admin) as uow:
        (citation, *_) = service.query(uow, "handbook", "How long is parental leave?").citations
        at = ("handbook", citation.document_id)
        (chunk,) = chunks.chunks_at(uow, *at, citation.start, citation.end)
        assert chunk.start <= citation.start < citation.end <= chunk.end
        assert chunk.number == citation.chunk
        assert chunks.chunk_numbered(uow, *at, chunk.number) == [chunk]
        assert chunks.chunk_numbered(uow, *at, 99) == []
        assert chunks.chunks_at(uow, *at, 100_000, 100_010) == []


def test_what_is_not_there_is_named(handbook: Workspace, admin: Caller) -> None:
    with handbook.reading(admin) as uow:
        with pytest.raises(CollectionMissing):
            listing.look(uow, "nothing", Look())
        with pytest.raises(DocumentMissing):
            chunks.chunks_at(uow, "handbook", "doc_nothing", 0, 10)
