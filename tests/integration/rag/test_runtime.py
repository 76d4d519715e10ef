"""What a flow's Python node calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import opsloop
from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.context import NoWorkspace, current_workspace
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.models import FilenameMissing


@contextmanager
def run_in(workspace: Workspace) -> Iterator[None]:
    token = current_workspace.set(workspace)
    try:
        yield
    finally:
        current_workspace.reset(token)


def test_a_node_searches_the_workspace_of_its_run_and_answers(handbook: Workspace) -> None:
    with run_in(handbook):
        passages = opsloop.search("handbook", "How long is parental leave?", top_k=3)
    reply = opsloop.answer("How long is parental leave?", json.loads(json.dumps(passages)))
    assert "16 weeks of parental leave" in reply["answer"]
    assert set(reply) == {"answer", "citations", "abstained", "engine", "support"}
    assert set(reply["citations"][0]) == {
        *("document_id", "filename", "chunk", "quote", "start", "end", "score", "page")
    }
    json.dumps(reply)


def test_passages_of_another_source_need_only_what_a_citation_needs() -> None:
    passage = {"document_id": "d", "filename": "f", "chunk": 0, "text": "Leave is 25 days.", "start": 0, "end": 17}
    assert opsloop.answer("How many days is leave?", [passage])["answer"] == "Leave is 25 days."


def test_a_passage_without_its_span_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"passages\[0\]"):
        opsloop.answer("How many days?", [{"text": "Leave is 25 days."}])


def test_a_search_outside_a_run_says_so() -> None:
    with pytest.raises(NoWorkspace, match="outside a run"):
        opsloop.search("handbook", "leave")


def test_a_node_reads_a_whole_document_in_its_order(handbook: Workspace) -> None:
    with run_in(handbook):
        passages = opsloop.read_document("handbook", "handbook.md")
    assert [each["chunk"] for each in passages] == list(range(len(passages)))
    assert " ".join(each["text"] for each in passages).startswith("# Leave")
    assert opsloop.answer("How many days of paid leave?", json.loads(json.dumps(passages)))["citations"]


def test_of_two_documents_of_one_name_the_one_uploaded_last_is_read(
    handbook: Workspace, admin: Caller, clock: FakeClock
) -> None:
    clock.advance(1)
    with handbook.writing(admin) as uow:
        service.upload(uow, "handbook", "policy.txt", b"Laptops are encrypted and locked.")
    with run_in(handbook):
        (passage,) = opsloop.read_document("handbook", "policy.txt")
    assert passage["text"] == "Laptops are encrypted and locked."


def test_a_document_that_is_not_there_is_named_with_the_nearest_one(handbook: Workspace) -> None:
    with (
        run_in(handbook),
        pytest.raises(FilenameMissing, match=r"no document named 'polcy.txt'; did you mean 'policy.txt'"),
    ):
        opsloop.read_document("handbook", "polcy.txt")


def test_reading_outside_a_run_says_so() -> None:
    with pytest.raises(NoWorkspace, match=r"read_document\(\) was called outside a run"):
        opsloop.read_document("handbook", "policy.txt")
