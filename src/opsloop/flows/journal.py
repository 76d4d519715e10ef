"""The journal of a batch: each finished row, and each finished model call of rows that are not.

A row is on the disk before it is told as finished; a call is with the system, which a kill does not touch, before the
flow sees the answer. So a batch that is killed repeats no row and pays no call twice, except those that were in work
at that moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsloop.core.errors import Conflict
from opsloop.flows.lines import Entry, Lines
from opsloop.flows.values import journalled

# A call belongs to a row with its data: `(3, "9f2c…", "ab01…")`; see `calls.py` for its key.
CallKey = tuple[int, str, str]


class JournalOfOther(Conflict):
    template = (
        "journal {path} belongs to {theirs}, this batch is {ours}: the flow or the mapping changed since; "
        "choose another journal or remove that one"
    )


def digest_of(value: Any) -> str:
    """The same for equal values: short hash of their canonical JSON."""
    text = json.dumps(journalled(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Journal:
    """An open journal; use it as an async context manager.

    Args:
        batch: names what the journal is of: the flow and the mapping.
    """

    def __init__(self, path: Path, batch: str) -> None:
        self.path = path
        self.batch = batch
        self.finished: dict[int, Entry] = {}
        """The finished rows that the journal held when it was opened, by their number."""
        self._calls: dict[tuple[int, str], dict[str, Any]] = {}
        self._lines = Lines(path, "journal", {"batch": batch}, check=self._check)

    async def __aenter__(self) -> Journal:
        """Raises: JournalOfOther, LinesHeld, NotLines, LinesUnwritable."""
        await self._lines.__aenter__()
        for entry in self._lines.entries:
            self._take(entry)
        self._lines.entries.clear()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._lines.__aexit__()

    @property
    def damaged(self) -> int:
        """How many lines could not be read; what they held is done again."""
        return self._lines.damaged

    async def write(self, row: Mapping[str, Any]) -> None:
        """Returns once the finished row is on the disk. Raises: LinesUnwritable."""
        await self._lines.write(row)

    async def write_call(self, key: CallKey, completion: Mapping[str, Any]) -> None:
        """Returns once the finished call outlives a kill; the disk has it with the row. Raises: LinesUnwritable."""
        row, data, call = key
        await self._lines.hand_over({"of_row": row, "data": data, "call": call, "completion": completion})

    def calls_of(self, row: int, data: str) -> Mapping[str, Any]:
        """What an earlier process got for the calls of a row with this data."""
        return self._calls.get((row, data), {})

    async def forget_calls(self, row: int) -> None:
        """Have the calls of a row made anew. Raises: LinesUnwritable."""
        await self._lines.write({"forget_calls": row})
        self._drop(row)

    def _take(self, entry: Entry) -> None:
        if "call" in entry:
            self._calls.setdefault((entry["of_row"], entry["data"]), {})[entry["call"]] = entry["completion"]
        elif "forget_calls" in entry:
            self._drop(entry["forget_calls"])
        else:
            self.finished[int(entry["row"])] = entry

    def _drop(self, row: int) -> None:
        self._calls = {key: value for key, value in self._calls.items() if key[0] != row}

    def _check(self, header: Entry) -> None:
        if header["batch"] != self.batch:
            raise JournalOfOther(path=str(self.path), theirs=header["batch"], ours=self.batch)
