"""Lines on the disk: what is written is read again, whatever happened in between."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.flows.lines import Lines, LinesHeld, LinesUnwritable, NotLines, holder_of, line_of

Work = Callable[[Lines], Awaitable[Any]]


def opened(path: Path, work: Work | None = None) -> Lines:
    """The lines of a file, after some work on them."""

    async def use() -> Lines:
        async with Lines(path, "notes", {"of": "test"}) as lines:
            if work is not None:
                await work(lines)
        return lines

    return asyncio.run(use())


async def three(lines: Lines) -> None:
    await asyncio.gather(*(lines.write({"n": n}) for n in range(3)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "notes.jsonl"


def test_what_is_written_is_read_again(path: Path) -> None:
    opened(path, three)
    opened(path, lambda lines: lines.write({"text": "é \ud800 \x00", "value": float("inf")}))
    assert [entry.get("n") for entry in opened(path).entries] == [0, 1, 2, None]
    assert opened(path).entries[3]["text"] == "é \ud800 \x00"
    assert opened(path).damaged == 0


def test_each_line_is_json(path: Path) -> None:
    opened(path, three)
    first, *rest = [json.loads(line) for line in path.read_text().splitlines()]
    assert (first["notes"], first["of"]) == (1, "test")
    assert [line["n"] for line in rest] == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 2, 9, 25])
def test_a_line_cut_off_at_the_end_is_dropped_and_is_no_damage(path: Path, cut: int) -> None:
    opened(path, three)
    path.write_bytes(path.read_bytes()[:-cut])
    lines = opened(path, lambda lines: lines.write({"n": 9}))
    assert [entry["n"] for entry in lines.entries] == [0, 1]
    assert lines.damaged == 0
    assert [entry["n"] for entry in opened(path).entries] == [0, 1, 9]


@pytest.mark.parametrize("damage", [b'{"n":7,"crc":"00000000"}', b"\x00" * 30, b"", b"\xff\xfe"])
def test_damage_in_the_middle_is_counted_and_costs_no_other_line(path: Path, damage: bytes) -> None:
    opened(path, three)
    whole = path.read_bytes().split(b"\n")
    whole[2] = damage
    path.write_bytes(b"\n".join(whole))
    lines = opened(path)
    assert [entry["n"] for entry in lines.entries] == [0, 2]
    assert lines.damaged == 1


def test_a_flipped_letter_is_damage(path: Path) -> None:
    opened(path, lambda lines: lines.write({"text": "paid"}))
    path.write_bytes(path.read_bytes().replace(b"paid", b"pald"))
    assert opened(path).damaged == 1


@pytest.mark.parametrize("content", [b"a file\n", b'{"question": 1}\n', b"\x00\x00\n", line_of({"other": 1})])
def test_a_file_that_holds_something_else_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(NotLines, match="name another file"):
        opened(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("length", [0, 1, 5, 12])
def test_a_file_that_was_killed_in_its_first_line_begins_again(path: Path, length: int) -> None:
    path.parent.mkdir()
    path.write_bytes(line_of({"notes": 1, "of": "test", "pid": 1})[:length])
    opened(path, three)
    assert len(opened(path).entries) == 3


def test_a_second_process_is_refused_and_told_who_holds_the_file(path: Path) -> None:
    async def again(_: Lines) -> None:
        holder = holder_of(path)
        assert holder is not None
        assert holder.startswith("process ")
        with pytest.raises(LinesHeld, match=holder):
            await Lines(path, "notes", {}).__aenter__()

    opened(path, again)
    assert holder_of(path) is None


class Full(Lines):
    """Lines on a disk that has room for half a line, once a test says so."""

    is_full = False

    def _put(self, data: bytes) -> None:
        if self.is_full:
            super()._put(data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        super()._put(data)


def test_a_full_disk_is_told_to_every_writer_and_leaves_only_whole_lines(path: Path) -> None:
    async def fill() -> list[BaseException | None]:
        lines = Full(path, "notes", {})
        async with lines:
            await lines.write({"n": 0})
            lines.is_full = True
            writes = [lines.write({"n": n}) for n in (1, 2, 3)]
            return await asyncio.gather(*writes, return_exceptions=True)

    told = asyncio.run(fill())
    assert all(isinstance(error, LinesUnwritable) and "No space left" in str(error) for error in told)
    assert [entry["n"] for entry in opened(path).entries] == [0]


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LinesUnwritable, match=r"Not a directory|File exists"):
        opened(tmp_path / "file" / "notes.jsonl")


def test_a_line_may_be_written_from_another_thread_with_a_loop_of_its_own(path: Path) -> None:
    opened(path, lambda lines: asyncio.to_thread(lambda: asyncio.run(lines.write({"n": 4}))))
    assert opened(path).entries[0]["n"] == 4


class SlowToOpen(Lines):
    """A file that opens when a test says so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "notes", {})
        self.begun, self.go_on = threading.Event(), threading.Event()

    def _open(self) -> None:
        self.begun.set()
        self.go_on.wait(60)
        super()._open()


def test_a_file_whose_opening_is_cancelled_is_closed(path: Path) -> None:
    lines = SlowToOpen(path)

    async def cancel() -> None:
        entering = asyncio.create_task(lines.__aenter__())
        await asyncio.to_thread(lines.begun.wait, 10)
        entering.cancel()
        await asyncio.sleep(0)
        lines.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering

    asyncio.run(cancel())
    assert lines.is_closed
    assert holder_of(path) is None


class SlowDisk(Lines):
    """Lines whose disk takes what it has when a test says so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "journal", {})
        self.opened, self.go_on = False, threading.Event()

    def _sync(self) -> None:
        if self.opened:
            self.go_on.wait(60)
        self.opened = True
        super()._sync()


def test_what_was_handed_over_is_in_the_file_before_the_disk_has_it(path: Path) -> None:
    async def work() -> None:
        lines = SlowDisk(path)
        async with lines:
            on_disk = asyncio.create_task(lines.write({"n": 1}))
            also = asyncio.create_task(lines.hand_over({"n": 2}))
            await also
            entries = [json.loads(line) for line in path.read_bytes().splitlines()[1:]]
            assert [entry["n"] for entry in entries] == [1, 2]
            assert not on_disk.done()
            lines.go_on.set()
            await on_disk

    asyncio.run(work())
