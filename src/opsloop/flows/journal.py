"""The journal of a batch: one JSON line for each finished row, on the disk before the row counts as finished.

A batch that is killed reads it when it starts again and repeats no row that is in it. Rows that finish together share
one write and one fsync, so that a journal costs a batch little.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from opsloop.core.errors import Conflict
from opsloop.flows.values import journalled

VERSION = 1


class JournalOfOther(Conflict):
    template = "journal {path} belongs to {theirs}, this batch is {ours}; choose another journal or remove that one"


def digest_of(value: Any) -> str:
    """The same for equal values: short hash of their canonical JSON."""
    text = json.dumps(journalled(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read(path: Path, batch: str) -> dict[int, dict[str, Any]]:
    """The finished rows in a journal by their number; empty when there is none.

    A last line that was cut off by a kill is ignored.

    Raises: JournalOfOther when it was written by another batch (another flow or mapping).
    """
    if not path.exists():
        return {}
    finished: dict[int, dict[str, Any]] = {}
    for line in path.read_bytes().split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if "journal" in entry:
            if entry["batch"] != batch:
                raise JournalOfOther(path=str(path), theirs=entry["batch"], ours=batch)
        else:
            finished[int(entry["row"])] = entry
    return finished


class Journal:
    """An open journal; use it as an async context manager."""

    def __init__(self, path: Path, batch: str) -> None:
        self.path = path
        self.batch = batch
        self._file: BinaryIO | None = None
        self._lines: list[bytes] = []
        self._written: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Journal:
        opening = asyncio.create_task(asyncio.to_thread(self._open))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.gather(opening, return_exceptions=True)  # the thread goes on, and opens the file
            self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._writer is not None:
                await asyncio.gather(self._writer, return_exceptions=True)
        finally:
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    async def write(self, entry: Mapping[str, Any]) -> None:
        """Returns once the entry is on the disk."""
        self._lines.append(_line(entry))
        loop = asyncio.get_running_loop()
        if self._written is None:
            self._written = loop.create_future()
        written = self._written
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write_all())
        await asyncio.shield(written)

    async def _write_all(self) -> None:
        while self._lines:
            lines, self._lines = self._lines, []
            written, self._written = self._written, None
            assert written is not None
            try:
                await asyncio.to_thread(self._append, b"".join(lines))
            except OSError as error:
                written.set_exception(error)
            else:
                written.set_result(None)

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")
        end = self._file.tell()
        if end == 0:
            self._append(_line({"journal": VERSION, "batch": self.batch}))
        elif not _ends_whole(self.path):
            self._append(b"\n")  # close the line that a kill cut off

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(journalled(entry), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
