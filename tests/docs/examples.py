"""The examples of a page: which blocks run, and what they say they print.

A fenced block in `console`, `bash` or `python` runs, unless the line above it is `<!-- not run: the reason -->`.
A `console` block shows commands after `$ ` (lines after `> ` go on with it) and what they print; a `text` block right
after a `bash` or `python` block is what that prints. In what is printed `…` stands for any text of one line, and a
line that is only `…` for any lines.

A page with the line `<!-- no server: its commands run on the project in their folder -->` runs without `OPSLOOP_URL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

RUNNABLE = frozenset({"console", "bash", "python"})
_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<language>[\w+-]*)[^`]*")
NO_SERVER = "<!-- no server: its commands run on the project in their folder -->"
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>\S.*?) *-->")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `line` is that of its fence, from 1; `follows`: no words stand between it and the last one."""

    path: Path
    line: int
    language: str
    text: str
    not_run: str | None
    follows: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to run. `printed` is None where the page shows no output."""

    path: Path
    line: int
    language: str
    code: str
    printed: str | None

    @property
    def place(self) -> str:
        return f"{self.path.name}:{self.line}"


def blocks(path: Path, text: str | None = None) -> list[Block]:
    """The fenced blocks of a page, in order."""
    lines = (path.read_text() if text is None else text).splitlines()
    found: list[Block] = []
    before: list[str] = []
    at = 0
    while at < len(lines):
        fence = _FENCE.fullmatch(lines[at])
        if fence is None:
            before.append(lines[at])
            at += 1
            continue
        end = _end(lines, at, fence["fence"])
        said = [line.strip() for line in before if line.strip()]
        reason = _NOT_RUN.fullmatch(said[-1]) if said else None
        body = "\n".join(line.removeprefix(fence["indent"]) for line in lines[at + 1 : end])
        follows = bool(found) and not said
        found.append(Block(path, at + 1, fence["language"], body, reason["reason"] if reason else None, follows))
        before, at = [], end + 1
    return found


def _end(lines: list[str], start: int, fence: str) -> int:
    for at in range(start + 1, len(lines)):
        if lines[at].strip() == fence:
            return at
    raise ValueError(f"line {start + 1}: this block is never closed")


def steps(path: Path, text: str | None = None) -> list[Step]:
    """What runs on a page, in order."""
    return list(_steps(blocks(path, text)))


def _steps(found: list[Block]) -> Iterator[Step]:
    for block, after in pairwise([*found, None]):
        assert block is not None
        if block.language not in RUNNABLE or block.not_run is not None:
            continue
        if block.language == "console":
            yield from _commands(block)
        else:
            printed = after.text if after is not None and after.language == "text" and after.follows else None
            yield Step(block.path, block.line, block.language, block.text, printed)


def _commands(block: Block) -> Iterator[Step]:
    lines = block.text.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
    if not starts or starts[0] != 0:
        raise ValueError(f"{block.path.name}:{block.line}: a console block begins with a command after `$ `")
    for start, end in pairwise([*starts, len(lines)]):
        rest = lines[start + 1 : end]
        more = next((at for at, line in enumerate(rest) if not line.startswith("> ")), len(rest))
        command = "\n".join([lines[start][2:], *(line[2:] for line in rest[:more])])
        printed = "\n".join(rest[more:]).strip("\n")
        yield Step(block.path, block.line + 1 + start, "bash", command, printed or None)


def matches(wanted: str, printed: str) -> bool:
    """Whether what was printed is what the page shows; blanks at the ends of lines do not matter."""
    pattern = "".join(_line(line.rstrip()) for line in wanted.strip("\n").splitlines())
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, text) is not None


def _line(wanted: str) -> str:
    if wanted.strip() == "…":
        return r"(?:[^\n]*\n)*?"
    return r"[^\n]*?".join(re.escape(part) for part in wanted.split("…")) + r"\n"
