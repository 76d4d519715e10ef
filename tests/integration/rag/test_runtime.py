"""What a flow's Python node calls."""

from __future__ import annotations

import json

import pytest

import opsloop
from opsloop.core.context import current_workspace
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.rag.runtime import NoWorkspace


def test_a_node_searches_the_workspace_of_its_run_and_answers(handbook: Workspace) -> None:
    token = current_workspace.set(handbook)
    try:
        passages = opsloop.search("handbook", "How long is parental leave?", top_k=3)
    finally:
        current_workspace.reset(token)
    reply = opsloop.answer("How long is parental leave?", json.loads(json.dumps(passages)))
    assert "16 weeks of parental leave" in reply["answer"]
    assert set(reply) == {"answer", "citations", "abstained", "engine", "support"}
    assert set(reply["citations"][0]) == {"document_id", "filename", "chunk", "quote", "start", "end", "score"}
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
