"""Reading documents in processes of their own: hostile ones are refused, the others come in their order."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from opsloop.rag import ingest
from opsloop.rag.ingests import readers
from opsloop.rag.ingests.readers import Outcome, Readers, Refusal, Unread, readers_for

TEXT = b"Some words that can be read."
KILLS = "kills.txt"
LASTS = "lasts.txt"


def serve(pipe: Any) -> None:
    """A reader's process whose parser crashes or never ends on certain names."""

    def read(unread: Unread) -> Outcome:
        if unread.filename == KILLS:
            os.abort()
        if unread.filename == LASTS:
            time.sleep(600)
        return readers.read(unread)

    while True:
        try:
            pipe.send(read(pipe.recv()))
        except EOFError:
            return


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_outcomes_come_in_order_from_processes(count: int) -> None:
    unread = [Unread(f"{number}.txt", TEXT if number % 3 else b"", "sentences") for number in range(9)]

    with Readers(count) as found:
        outcomes = list(found.outcomes(unread))

    assert [isinstance(each, ingest.Parsed) for each in outcomes] == [bool(number % 3) for number in range(9)]
    assert [each.filename for each in outcomes if isinstance(each, ingest.Parsed)] == [
        f"{number}.txt" for number in range(9) if number % 3
    ]


@pytest.mark.slow
def test_a_document_that_breaks_its_reader_is_refused_and_the_next_ones_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readers, "_serve", serve)
    unread = [Unread(name, TEXT, "sentences") for name in ("a.txt", KILLS, "b.txt", KILLS, "c.txt")]

    with Readers(2) as found:
        outcomes = list(found.outcomes(unread))

    reason = f"{KILLS}: reading it broke the program that reads it"
    assert [each.reason if isinstance(each, Refusal) else None for each in outcomes] == [None, reason] * 2 + [None]


@pytest.mark.slow
def test_a_document_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_serve", serve)

    with Readers(1, within_s=0.2) as found:
        [outcome] = found.outcomes([Unread(LASTS, TEXT, "sentences")])

    assert outcome == Refusal(f"{LASTS}: it could not be read within 0.2 s; split it")


def test_a_parsers_own_fault_is_a_refusal_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("secret words of the document")

    monkeypatch.setattr(ingest, "parsed", fails)

    found = readers.read(Unread("a.txt", TEXT, "sentences"))

    assert isinstance(found, Refusal)
    assert "a.txt: cannot be read (ZeroDivisionError)" in found.reason
    assert "secret" not in found.reason


@pytest.mark.parametrize(
    ("documents", "wanted", "count"),
    [
        ([("a.txt", 100)] * 3, None, 0),
        ([("a.txt", readers.WORTH_BYTES)] * 3, 2, 2),
        ([("a.txt", readers.WORTH_BYTES)] * 3, 1, 0),
        ([("a.pdf", 100)], 4, 1),
        ([("a.pdf", 100)] * 3, 2, 2),
        ([], 2, 0),
    ],
)
def test_processes_are_started_where_they_pay_or_protect(
    documents: list[tuple[str, int]], wanted: int | None, count: int
) -> None:
    assert readers_for(documents, wanted=wanted) == count
