"""What must hold afterwards: of records, feedback, the audit, and of what lies on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from opsloop.core.caller import system
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.feedback import service as feedback
from opsloop.monitoring import records
from soak import personal

BY = system("soak")
CHUNK = 500
OVERLAP = 100


def missing(settings: CoreSettings, answered: list[str], given: list[str]) -> tuple[list[str], list[str]]:
    """Requests that were answered and have no record; feedback that was acknowledged and is not there."""
    workspace = open_workspace(settings)
    try:
        kept: set[str] = set()
        with workspace.reading(BY) as uow:
            for at in range(0, len(answered), CHUNK):
                kept |= records.of_requests(uow, answered[at : at + CHUNK]).keys()
            heard: set[str] = set()
            after = 0
            while page := feedback.since(uow, after, limit=CHUNK):
                heard |= {each.id for each in page}
                after = page[-1].seq
    finally:
        workspace.close()
    return [each for each in answered if each not in kept], [each for each in given if each not in heard]


def leaks(folders: list[Path]) -> Iterator[str]:
    """Each place of personal data in any file below, as `FILE: KIND`; files are read whole, byte by byte."""
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                for kind in _in(file):
                    yield f"{file.relative_to(folder.parent)}: {kind}"


def _in(file: Path) -> set[str]:
    found: set[str] = set()
    tail = b""
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            text = tail + block
            found |= {kind for kind, pattern in personal.PATTERNS.items() if pattern.search(text)}
            tail = text[-OVERLAP:]
    return found
