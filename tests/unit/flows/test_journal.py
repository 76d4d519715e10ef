from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from opsloop.flows.journal import Journal


class SlowToOpen(Journal):
    """A journal whose file opens when a test says so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "batch")
        self.begun, self.go_on = threading.Event(), threading.Event()

    def _open(self) -> None:
        self.begun.set()
        self.go_on.wait(10)
        super()._open()


async def cancelled_while_opening(journal: SlowToOpen) -> None:
    entering = asyncio.create_task(journal.__aenter__())
    await asyncio.to_thread(journal.begun.wait, 10)
    entering.cancel()
    await asyncio.sleep(0)
    journal.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await entering


def test_a_journal_that_is_cancelled_while_it_opens_leaves_no_open_file(tmp_path: Path) -> None:
    journal = SlowToOpen(tmp_path / "journal.jsonl")
    asyncio.run(cancelled_while_opening(journal))
    assert journal._file is not None
    assert journal._file.closed
