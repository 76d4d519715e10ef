"""Read the documents of an ingest side by side; what is wrong with one is told of it, and the others go on.

Threads are enough: kinds of files that can be crafted, or take long, are read in processes of their own
(`parsing.apart`), and plain texts take less time than another process takes to start.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from opsloop.core.errors import OpsloopError
from opsloop.rag.parsing import pieces
from opsloop.rag.parsing.apart import READERS, ReadersBusy


@dataclass(frozen=True, slots=True)
class Unread:
    """What is to be read."""

    filename: str
    data: bytes
    chunking: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a document was not read, as a sentence."""

    reason: str


Outcome = pieces.Parsed | Refusal


class Readers(Protocol):
    """The port: where documents are read."""

    def read_all(self, documents: Sequence[Unread]) -> list[Outcome]:
        """What came of each document, in their order."""
        ...


class Here:
    """In this process and the processes of its own that it reads with."""

    def read_all(self, documents: Sequence[Unread]) -> list[Outcome]:
        with ThreadPoolExecutor(READERS, thread_name_prefix="ingest-reader") as pool:
            return list(pool.map(read, documents))


def read(unread: Unread) -> Outcome:
    """Read a document; what is wrong with it is told, not raised."""
    while True:
        try:
            return pieces.parsed(unread.filename, unread.data, unread.chunking)
        except ReadersBusy:  # nobody waits for an answer: after a while spent waiting, wait on
            continue
        except OpsloopError as error:
            return Refusal(error.sentence)
        except Exception as error:  # noqa: BLE001 (what a parser does not foresee in one document must not stop the others)
            fault = type(error).__name__
            return Refusal(f"{unread.filename}: cannot be read ({fault}); save it anew and upload it again")
