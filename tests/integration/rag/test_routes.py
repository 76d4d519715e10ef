"""The HTTP contract of documents."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.rag.conftest import HANDBOOK


def body(content: bytes = HANDBOOK.encode(), **more: object) -> dict[str, Any]:
    return {"filename": "handbook.md", "content_base64": base64.b64encode(content).decode(), **more}


def test_an_upload_answers_with_id_chunks_and_hash(http: TestClient) -> None:
    first, again = (http.post("/upload", json=body()).json() for _ in range(2))
    assert set(first) == {"document_id", "chunks", "sha256", "duplicate"}
    assert again == {**first, "duplicate": True}


def test_a_form_uploads_the_same_document(http: TestClient) -> None:
    form = {"collection": "default", "metadata": '{"team": "people"}'}
    first = http.post("/upload", files={"file": ("handbook.md", HANDBOOK.encode())}, data=form)
    assert first.status_code == 200, first.text
    assert http.post("/upload", json=body()).json() == {**first.json(), "duplicate": True}
    assert http.get("/api/collections/default/documents").json()["items"][0]["metadata"] == {"team": "people"}


def test_a_query_answers_with_citations_that_are_exact(http: TestClient) -> None:
    http.post("/upload", json=body())
    reply = http.post("/query", json={"question": "How many days of paid leave do employees have?"}).json()
    assert {"answer", "citations", "abstained", "engine"} <= set(reply)
    assert reply["engine"] == "extractive"
    for one in reply["citations"]:
        stored = http.get(f"/api/collections/default/documents/{one['document_id']}/text").json()["text"]
        assert stored[one["start"] : one["end"]] == one["quote"]


def test_documents_are_listed_and_deleted(http: TestClient) -> None:
    document = http.post("/upload", json=body(collection="plans")).json()["document_id"]
    listed = http.get("/api/collections/plans/documents").json()
    assert ([one["id"] for one in listed["items"]], listed["next"]) == ([document], None)
    assert http.get("/api/collections/plans").json()["documents"] == 1
    assert http.delete(f"/api/collections/plans/documents/{document}").status_code == 200
    assert http.get(f"/api/collections/plans/documents/{document}").status_code == 404
    assert http.delete("/api/collections/plans").status_code == 200
    assert http.get("/api/collections").json() == {"items": [], "next": None}


def test_how_a_collection_cuts_and_answers_is_changed_field_by_field(http: TestClient) -> None:
    http.post("/upload", json=body())
    at = "/api/collections/default"
    changed = http.patch(at, json={"chunking": "words-500", "min_support": 0.3}).json()
    assert (changed["chunking"], changed["min_support"], changed["vector_weight"]) == ("words-500", 0.3, None)
    assert http.patch(at, json={"vector_weight": 0}).json()["min_support"] == 0.3
    assert http.patch(at, json={"min_support": None}).json()["min_support"] is None


@pytest.mark.parametrize(
    ("change", "named"), [({"chunking": "lines"}, "chunking"), ({"vector_weight": 2}, "vector_weight"), ({"x": 1}, "x")]
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    http: TestClient, change: dict[str, Any], named: str
) -> None:
    http.post("/upload", json=body())
    refused = http.patch("/api/collections/default", json={"min_support": 0.9, **change})
    assert refused.status_code == 422
    assert named in refused.text
    assert http.get("/api/collections").json()["items"][0]["min_support"] is None


def test_a_listing_is_paged(http: TestClient) -> None:
    for number in range(3):
        http.post("/upload", json=body(f"Document {number}.".encode()))
    first = http.get("/api/collections/default/documents", params={"limit": 2}).json()
    rest = http.get("/api/collections/default/documents", params={"limit": 2, "after": first["next"]}).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)


def test_passages_are_uploaded_and_searched(http: TestClient) -> None:
    data = b'{"_id": "a.pdf#page=1", "text": "Vision is covered."}\n{"_id": "a.pdf#page=2", "text": "Dental is not."}'
    assert http.post("/api/collections/plans/passages", content=data).json()["items"][0]["chunks"] == 2
    found = http.post("/api/collections/plans/search", json={"question": "dental"}).json()["items"]
    assert [one["passage_id"] for one in found] == ["a.pdf#page=2"]


def test_a_collection_is_made_with_its_chunking_and_reindexed(http: TestClient) -> None:
    assert http.post("/api/collections", json={"name": "old", "chunking": "words-500"}).status_code == 201
    assert http.post("/api/collections", json={"name": "old"}).status_code == 409
    http.post("/upload", json=body(collection="old"))
    assert http.post("/api/collections/old/reindex").json()["chunks"] == 1


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"json": body(filename="../x.md")}, "filename: is '../x.md'; wanted a plain file name"),
        ({"json": {"filename": "a.md", "content_base64": "%%%"}}, "content_base64: wanted base64 of a.md"),
        ({"json": {"filename": "a.md", "content_base64": {"a": "Swordfish"}}}, "content_base64: wanted the file as"),
        ({"json": {"filename": "a.md"}}, "content_base64"),
        ({"json": body(extra=1)}, "extra"),
        ({"json": body(b"")}, "handbook.md: it is empty (0 bytes)"),
        ({"json": body(b"ab\x00")}, "byte 2 is NUL"),
        ({"json": body(filename="a.exe")}, "send one of .txt"),
        ({"json": body(collection="Not a name")}, "collection"),
        ({"json": body(metadata={"team": 1})}, "metadata.team"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, "body"),
        ({"files": {"other": ("a.md", b"x")}}, "file"),
        ({"files": {"file": ("a.md", b"x")}, "data": {"metadata": "{"}}, "metadata"),
        ({"files": {"file": ("a.md", b"x")}, "data": {"metadata": "[]"}}, "metadata"),
    ],
)
def test_a_wrong_upload_is_a_4xx_that_names_the_field(http: TestClient, sent: dict[str, Any], sentence: str) -> None:
    reply = http.post("/upload", **sent)
    assert reply.status_code == 422, reply.text
    assert sentence in reply.json()["detail"]
    assert "Swordfish" not in reply.text


def test_a_query_to_a_missing_collection_is_a_404_with_the_next_step(http: TestClient) -> None:
    reply = http.post("/query", json={"question": "Why?", "collection": "none"})
    assert reply.status_code == 404
    assert "upload a document to it" in reply.json()["detail"]


@pytest.mark.parametrize("metadata", ["[" * 200_000, '{"a": ' * 100_000], ids=["lists", "objects"])
def test_metadata_nested_without_end_is_a_4xx(http: TestClient, metadata: str) -> None:
    sent = http.post("/upload", files={"file": ("a.md", b"words")}, data={"metadata": metadata})
    assert sent.status_code == 422, sent.text
    assert sent.json()["detail"].startswith("metadata: is")


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"k": "v" * 20_000}, "metadata: has 1 texts of 20,001 characters; wanted at most 100 texts"),
        ({f"k{n}": "v" for n in range(101)}, "metadata: has 101 texts"),
        ({'a"b': "v"}, "metadata key: is 'a\"b'"),
        ({"a\0": "v"}, "metadata key: is 'a\\x00'"),
        ({"k" * 101: "v"}, "metadata key: is"),
        ({"": "v"}, "metadata key: is ''"),
    ],
    ids=["long", "many", "quote", "nul", "long key", "no key"],
)
def test_metadata_that_cannot_be_kept_is_refused(http: TestClient, metadata: dict[str, str], sentence: str) -> None:
    alone = http.post("/upload", json=body(metadata=metadata))
    assert (alone.status_code, alone.json()["detail"][: len(sentence)]) == (422, sentence)
    documents = [{"filename": "handbook.md", "content_base64": body()["content_base64"], "metadata": metadata}]
    ingest = http.post("/api/collections/default/ingests", json={"documents": documents}).json()
    [item] = http.get(f"/api/collections/default/ingests/{ingest['id']}/documents").json()["items"]
    assert (item["state"], item["reason"][: len(sentence)]) == ("refused", sentence)


@pytest.mark.parametrize(
    ("filters", "status"),
    [
        ({f"k{n}": "v" for n in range(21)}, 422),
        ({"k": [str(n) for n in range(1_001)]}, 422),
        ({'a"b': "v"}, 422),
        ({"a\0": "v"}, 422),
        ({"a": "v\0"}, 200),
        ({"document_id": "doc\0", "filename": ["x\0"]}, 200),
    ],
    ids=["many", "many values", "quote", "nul in a key", "nul in a value", "nul in a name"],
)
def test_filters_of_any_kind_are_no_fault_of_the_server(http: TestClient, filters: dict[str, Any], status: int) -> None:
    http.post("/upload", json=body())
    answer = http.post("/query", json={"question": "How many days of paid leave?", "filters": filters})
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["detail"].startswith("filters")
    assert status == 422 or answer.json()["abstained"]


@pytest.mark.parametrize("content", ["SECRET-WORDS@@", ["SECRET-WORDS"], {"a": "SECRET-WORDS"}])
def test_what_an_ingest_was_sent_does_not_come_back_in_a_sentence(http: TestClient, content: object) -> None:
    documents = [{"filename": "a.md", "content_base64": content}]
    refused = http.post("/api/collections/default/ingests", json={"documents": documents})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("documents.0.content_base64: wanted")
    assert "SECRET" not in refused.text
