"""The files of a flow version, to be read, and what two versions differ in."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from opsloop.core.errors import NotFound
from opsloop.core.workspace import Workspace
from opsloop.flows import package, service
from opsloop.flows.errors import suggestion
from opsloop.flows.models import FlowVersion

TEXT_CHARS = 100_000
"""More of a file is not shown."""
LINES = 5_000
"""Longer files are not compared line by line: that takes time that grows with the square of their length."""
DIFF_LINES = 2_000
CONTEXT_LINES = 3


class FlowFileMissing(NotFound):
    template = "flow version {flow} has no file {name!r}{near}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file's text; empty with the reason in `missing` when it cannot be shown as text."""

    path: str
    text: str
    missing: str = ""
    is_cut: bool = False


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What became of one file: lines of a unified diff, or the reason in `missing` why there are none."""

    path: str
    change: Change
    added: int
    removed: int
    lines: tuple[str, ...]
    missing: str = ""


def files(workspace: Workspace, version: FlowVersion) -> list[SourceFile]:
    """The files of a version, sorted by path."""
    folder = service.materialise(workspace, version.digest)
    return [SourceFile(each.path, each.place.stat().st_size) for each in package.files_of(folder)]


def text(workspace: Workspace, version: FlowVersion, path: str) -> SourceText:
    """A file's text, cut when it is long. Raises: FlowFileMissing."""
    places = _places(workspace, version)
    if path not in places:
        raise FlowFileMissing(noun="file", name=path[:200], flow=version.ref, near=suggestion(path[:200], places))
    with places[path].open("rb") as file:
        start = file.read(4 * TEXT_CHARS + 4)
    whole = _decoded(start, places[path].stat().st_size == len(start))
    if whole is None:
        return SourceText(path, "", missing="It is no text.")
    return SourceText(path, whole[:TEXT_CHARS], is_cut=len(whole) > TEXT_CHARS or len(start) == 4 * TEXT_CHARS + 4)


def diff(workspace: Workspace, before: FlowVersion, after: FlowVersion) -> list[FileDiff]:
    """What differs between two versions, file by file, sorted by path."""
    old, new = _places(workspace, before), _places(workspace, after)
    found = []
    for path in sorted(old.keys() | new.keys()):
        change = Change.ADDED if path not in old else Change.REMOVED if path not in new else Change.CHANGED
        a = old[path].read_bytes() if path in old else b""
        b = new[path].read_bytes() if path in new else b""
        if change is not Change.CHANGED or a != b:
            found.append(_compared(path, change, a, b))
    return found


def _places(workspace: Workspace, version: FlowVersion) -> dict[str, Path]:
    folder = service.materialise(workspace, version.digest)
    return {each.path: each.place for each in package.files_of(folder)}


def _decoded(data: bytes, is_whole: bool) -> str | None:
    """Text, or None for what is none; a character that the end cut in two is left out."""
    try:
        return None if b"\0" in data else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return data[: error.start].decode() if not is_whole and error.start > len(data) - 4 else None


def _compared(path: str, change: Change, before: bytes, after: bytes) -> FileDiff:
    old, new = _decoded(before, True), _decoded(after, True)
    if old is None or new is None:
        return FileDiff(path, change, 0, 0, (), missing="It is no text.")
    a, b = old.splitlines(), new.splitlines()
    if len(a) > LINES or len(b) > LINES or max(len(before), len(after)) > 4 * TEXT_CHARS:
        return FileDiff(path, change, 0, 0, (), missing="It is too large to be compared line by line.")
    lines = list(difflib.unified_diff(a, b, n=CONTEXT_LINES, lineterm=""))[2:]
    missing = "" if len(lines) <= DIFF_LINES else f"Only the first {DIFF_LINES:,} of {len(lines):,} lines are shown."
    return FileDiff(path, change, _count(lines, "+"), _count(lines, "-"), tuple(lines[:DIFF_LINES]), missing)


def _count(lines: Sequence[str], sign: str) -> int:
    return sum(line.startswith(sign) for line in lines)
