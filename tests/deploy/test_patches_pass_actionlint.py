"""Patches that diagnoses show of workflows, held against actionlint: no slip is left, and nothing new is wrong."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name

from opsloop.incidents.diagnosis.engine import diagnose
from opsloop.incidents.diagnosis.patches import making
from tests.deploy.test_recipes_are_valid import GITHUB
from tests.unit.incidents.diagnosis import test_more_patches as more
from tests.unit.incidents.diagnosis import test_patches as usual

slips: Callable[[str], Iterator[tuple[str, str]]] = resolve_name("benchmarks.patches:slips")
_LINE = re.compile(r"(?P<file>\S+\.yml):\d+:\d+: (?P<said>.*)")


@dataclass(frozen=True)
class Mended:
    """A workflow, and the same with the patch that its log got."""

    wrong: str
    right: str


def patched(log: str, workflow: str) -> Mended | None:
    patch = diagnose([log.encode()], workflow=workflow).yaml_patch
    right = making.applied(workflow, patch) if patch is not None else None
    return Mended(workflow, right) if right is not None else None


def complaints(actionlint: str, folder: Path, texts: Sequence[str]) -> list[list[str]]:
    """What actionlint says of each, without places."""
    folder.mkdir()
    files = [folder / f"{place:03}.yml" for place in range(len(texts))]
    for file, each in zip(files, texts, strict=True):
        file.write_text(each)
    words = [actionlint, "-no-color", "-shellcheck=", "-pyflakes=", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode in (0, 1), done.stderr
    said: dict[str, list[str]] = {str(file): [] for file in files}
    for line in done.stdout.splitlines():
        if found := _LINE.fullmatch(line):
            said[found["file"]].append(found["said"])
    assert any(said.values()) == (done.returncode == 1), done.stdout
    return list(said.values())


def test_what_is_left_of_slips_in_our_own_workflows_is_nothing(actionlint: str, tmp_path: Path) -> None:
    wrong = [(said, text) for file in GITHUB for text, said in slips(file.read_text())]
    mended = [each for said, text in wrong if (each := patched(said, text)) is not None]
    assert len(mended) >= 0.9 * len(wrong) > 20
    before = complaints(actionlint, tmp_path / "before", [each.wrong for each in mended])
    after = complaints(actionlint, tmp_path / "after", [each.right for each in mended])
    assert all(before), "actionlint sees each slip"
    assert [each for each in after if each] == []


def test_no_patch_of_any_kind_brings_a_complaint_that_was_not_there(actionlint: str, tmp_path: Path) -> None:
    failed = [
        (f"##[group]Run {step}\n{line}\n##[error]Process completed with exit code 1.\n", text)
        for step, line, text in usual.CASES
        if text is usual.WORKFLOW
    ]
    slipped = [(log, text.replace(was, slip, 1)) for text, was, slip, log in more.SLIPS if text is more.WORKFLOW]
    mended = [each for log, text in (*failed, *slipped) if (each := patched(log, text)) is not None]
    assert len(mended) >= len(failed) + len(slipped) - 1  # an action that is not pinned gets none
    before = complaints(actionlint, tmp_path / "before", [each.wrong for each in mended])
    after = complaints(actionlint, tmp_path / "after", [each.right for each in mended])
    for was, now, each in zip(before, after, mended, strict=True):
        assert set(now) <= set(was), each.right
    assert any(len(now) < len(was) for was, now in zip(before, after, strict=True))
