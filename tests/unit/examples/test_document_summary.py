"""How the sentences of a summary are chosen, and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from opsloop.rag.text.chunk import by_sentences
from tests.unit.examples.conftest import EXAMPLES

FLOW = "document-search/flows/search"
Load = Callable[[str, str], ModuleType]


def passages(text: str) -> list[dict[str, Any]]:
    """A text as `opsloop.read_document` gives it."""
    return [
        {
            "document_id": "doc_1",
            "filename": "one.md",
            "chunk": number,
            "heading": piece.heading,
            "text": text[piece.start : piece.end],
            "start": piece.start,
            "end": piece.end,
        }
        for number, piece in enumerate(by_sentences(text))
    ]


def summarised(flow_code: Load, text: str, most: int = 6) -> dict[str, Any]:
    found: dict[str, Any] = flow_code(FLOW, "summary.py").summary(passages(text), most)
    return found


def test_every_document_is_summarised_with_quotes_that_stand_where_they_say(flow_code: Load) -> None:
    for file in (EXAMPLES / "document-search" / "documents").iterdir():
        text = file.read_text()
        found = summarised(flow_code, text)
        assert len(found["citations"]) == 6, file.name
        assert all(text[each["start"] : each["end"]] == each["quote"] for each in found["citations"]), file.name


def test_each_section_speaks_once_before_one_speaks_twice(flow_code: Load) -> None:
    text = "\n\n".join(
        f"# Section {name}\n\nThe {name} part says what the machine does at home. It is of no more use than that here."
        for name in ("heating", "cooling", "washing")
    )
    quotes = [each["quote"] for each in summarised(flow_code, text, 3)["citations"]]
    assert [quote.split()[1] for quote in quotes] == ["heating", "cooling", "washing"]


def test_tables_lists_headings_and_fragments_are_no_sentences(flow_code: Load) -> None:
    text = (
        "# A heading of more than seven words that is no sentence.\n\n"
        "| a | table with many words in it, and a stop. |\n\n"
        "- a list with more than seven words in one line.\n\n"
        "Too short.\n\nThis sentence alone has the length and form of one."
    )
    found = summarised(flow_code, text)
    assert found["answer"] == "This sentence alone has the length and form of one."


def test_a_number_with_a_point_does_not_end_a_sentence(flow_code: Load) -> None:
    text = "The water tank of the machine holds 1.8 litres of cold drinking water at most."
    assert summarised(flow_code, text)["answer"] == text


def test_a_document_without_sentences_gets_an_abstention(flow_code: Load) -> None:
    assert summarised(flow_code, "# Only\n\nwords") == {"answer": "", "citations": [], "abstained": True}
