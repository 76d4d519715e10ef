"""Read documents in several processes: one that breaks its process, or takes too long, is refused; the others go on.

A process of its own for each reader, with a pipe: a reader that dies is noticed at the end of its pipe, and a reader
whose parent was killed notices the same and ends. One process is enough for a few plain texts, which take less time
than another process takes to start; they are read here.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from pathlib import PurePosixPath
from types import TracebackType

from opsloop.core.errors import OpsloopError
from opsloop.rag import ingest

READ_WITHIN_S = 120.0
WORTH_BYTES = 2_000_000
MAX_READERS = 4
PLAIN = frozenset({".txt", ".text", ".md", ".markdown"})


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


Outcome = ingest.Parsed | Refusal


def read(unread: Unread) -> Outcome:
    """Read a document in this process; what is wrong with it is told, not raised."""
    try:
        return ingest.parsed(unread.filename, unread.data, unread.chunking)
    except OpsloopError as error:
        return Refusal(error.sentence)
    except Exception as error:  # noqa: BLE001 (what a parser does not foresee in one document must not stop the others)
        return Refusal(f"{unread.filename}: cannot be read ({type(error).__name__}); save it anew and upload it again")


def readers_for(documents: Sequence[tuple[str, int]], *, wanted: int | None) -> int:
    """How many processes are worth starting for documents, given by name and size; 0: read them in this one."""
    most = wanted if wanted is not None else min(os.cpu_count() or 1, MAX_READERS)
    size_bytes = sum(size for _, size in documents)
    is_plain = all(PurePosixPath(name).suffix.lower() in PLAIN for name, _ in documents)
    if is_plain and (most < 2 or size_bytes < WORTH_BYTES):
        return 0
    return max(1, min(most, len(documents)))


class Readers:
    """`with Readers(2) as readers: for outcome in readers.outcomes(unread)`: outcomes in the order of what was given.

    Args:
        count: processes; 0 to read in this one.
        within_s: longest time for one document, in seconds.
    """

    def __init__(self, count: int, *, within_s: float = READ_WITHIN_S) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._within_s = within_s
        self._count = count
        self._readers: list[_Reader] = []

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers:
            reader.end()
        self._readers.clear()

    def outcomes(self, documents: Sequence[Unread]) -> Iterator[Outcome]:
        if self._count == 0:
            yield from map(read, documents)
            return
        while len(self._readers) < min(self._count, len(documents)):
            self._readers.append(_Reader(self._context))
        waiting = deque(enumerate(documents))
        done: dict[int, Outcome] = {}
        following = 0
        while following < len(documents):
            self._give(waiting)
            self._collect(done)
            while following in done:
                yield done.pop(following)
                following += 1

    def _give(self, waiting: deque[tuple[int, Unread]]) -> None:
        for reader in self._readers:
            if reader.at is None and waiting:
                reader.take(*waiting.popleft(), until_s=time.monotonic() + self._within_s)

    def _collect(self, done: dict[int, Outcome]) -> None:
        """What is ready within the time there is; a reader that died or is late is replaced."""
        busy = [reader for reader in self._readers if reader.at is not None]
        left_s = min(reader.until_s for reader in busy) - time.monotonic()
        ready = wait([reader.pipe for reader in busy], timeout=max(0.0, left_s))
        for reader in busy:
            if reader.pipe in ready:
                self._finish(reader, reader.outcome(), "reading it broke the program that reads it", done)
            elif time.monotonic() >= reader.until_s:
                self._finish(reader, None, f"it could not be read within {self._within_s:g} s; split it", done)

    def _finish(self, reader: _Reader, outcome: Outcome | None, otherwise: str, done: dict[int, Outcome]) -> None:
        """Without an outcome the document is refused, and the reader's process is of no more use."""
        assert reader.at is not None
        done[reader.at] = outcome if outcome is not None else Refusal(f"{reader.filename}: {otherwise}")
        reader.at = None
        if outcome is None:
            reader.end()
            self._readers[self._readers.index(reader)] = _Reader(self._context)


class _Reader:
    """One process, and the number of the document it is at."""

    def __init__(self, context: SpawnContext) -> None:
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name="opsloop-reader", daemon=True)
        self._process.start()
        theirs.close()  # only the process holds its end now: when it dies, ours is at an end
        self.at: int | None = None
        self.until_s = 0.0
        self.filename = ""

    def take(self, number: int, unread: Unread, *, until_s: float) -> None:
        self.at, self.until_s, self.filename = number, until_s, unread.filename
        with suppress(OSError):  # a process that is gone is found when its outcome is asked for
            self.pipe.send(unread)

    def outcome(self) -> Outcome | None:
        """What it found; None when it died."""
        try:
            found: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return found

    def end(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.join()
        self._process.close()


def _serve(pipe: Connection) -> None:
    """The work of a reader's process, until its parent is gone or closes the pipe."""
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            pipe.send(read(pipe.recv()))
