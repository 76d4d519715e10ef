"""Reading the documents of an ingest: broken ones are refused, the others come in their order."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.rag.ingests import readers
from opsloop.rag.ingests.readers import Here, Refusal, Unread
from opsloop.rag.parsing import pieces
from opsloop.rag.parsing.apart import ReadersBusy

TEXT = b"Some words that can be read."


def test_outcomes_come_in_order_and_a_broken_document_stops_no_other() -> None:
    unread = [Unread(f"{number}.txt", TEXT if number % 3 else b"", "sentences") for number in range(9)]

    outcomes = Here().read_all(unread)

    assert [isinstance(each, pieces.Parsed) for each in outcomes] == [bool(number % 3) for number in range(9)]
    assert [each.filename for each in outcomes if isinstance(each, pieces.Parsed)] == [
        f"{number}.txt" for number in range(9) if number % 3
    ]


def test_a_parsers_own_fault_is_a_refusal_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("secret words of the document")

    monkeypatch.setattr(pieces, "parsed", fails)

    found = readers.read(Unread("a.txt", TEXT, "sentences"))

    assert isinstance(found, Refusal)
    assert "a.txt: cannot be read (ZeroDivisionError)" in found.reason
    assert "secret" not in found.reason


def test_a_document_for_which_no_reader_is_free_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = pieces.parsed

    def busy_at_first(filename: str, *rest: Any) -> pieces.Parsed:
        asked.append(filename)
        if len(asked) == 1:
            raise ReadersBusy(count=1)
        return real(filename, *rest)

    monkeypatch.setattr(pieces, "parsed", busy_at_first)

    assert isinstance(readers.read(Unread("a.txt", TEXT, "sentences")), pieces.Parsed)
    assert asked == ["a.txt", "a.txt"]
