"""Registrations that are killed, and two at once: a version is there whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.datasets import service
from tests.acceptance.up import environment

BY = Caller("test:admin", Role.ADMIN)
ROWS = 60_000
# TESTS_LONG=1 asks for the long form.
MOMENTS = 10 if os.environ.get("TESTS_LONG") else 5
ENDED_S = 120.0
REGISTERS = """
import sys
from pathlib import Path
from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.datasets import service

workspace = open_workspace(CoreSettings(data_dir=Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
snapshot = service.prepare_file(workspace, Path(sys.argv[2]))
with workspace.writing(Caller("test:admin", Role.ADMIN)) as uow:
    version = service.register_snapshot(uow, "golden", Path(sys.argv[2]).name, snapshot)
print(version.ref, flush=True)
"""


def started(data: Path, file: Path) -> subprocess.Popen[str]:
    """A process that registers a file once it is told to go."""
    command = [sys.executable, "-c", REGISTERS, str(data), str(file)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def write_rows(file: Path, first: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"id": number, "text": f"row {number}", "share": number / 7} for number in range(first, first + ROWS)
    ]
    lines = [f'{{"id": {row["id"]}, "text": "{row["text"]}", "share": {row["share"]!r}}}' for row in rows]
    file.write_text("\n".join(lines))
    return rows


def whole_versions(data: Path, known: dict[int, list[dict[str, object]]]) -> list[int]:
    """The versions there are, each read to its end and compared."""
    workspace = open_workspace(CoreSettings(data_dir=data))
    with workspace.reading(BY) as uow:
        found = service.listed(uow, name="golden")
        for version in found:
            assert list(service.rows(uow, version)) == known[version.version]
        if found:
            assert service.get(uow, "golden").version == found[0].version
    workspace.close()
    return [version.version for version in found]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_kill_at_any_moment_leaves_the_old_version_whole_and_no_half_one(tmp_path: Path, ending: str) -> None:
    data, files = tmp_path / "data", [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    known = {number: write_rows(file, number) for number, file in enumerate(files, start=1)}
    if ending == "csv":
        files = [_as_csv(file, known[number]) for number, file in enumerate(files, start=1)]
    with started(data, files[0]) as process:
        began_s = time.monotonic()
        out, err = process.communicate("go\n", timeout=ENDED_S)
        took_s = time.monotonic() - began_s
    assert out == "golden@1\n", err
    for moment in range(MOMENTS):
        with started(data, files[1]) as process:
            go(process)
            with suppress(subprocess.TimeoutExpired):
                process.wait(took_s * (moment + 0.5) / MOMENTS)
            process.kill()
        versions = whole_versions(data, known)
        assert versions in ([1], [2, 1])
        if versions == [2, 1]:
            break  # it was done before it was killed
    with started(data, files[1]) as process:
        assert process.communicate("go\n", timeout=ENDED_S)[0] == "golden@2\n"
    assert whole_versions(data, known) == [2, 1]


def test_two_processes_that_register_one_name_at_once_make_two_versions(tmp_path: Path) -> None:
    data, files = tmp_path / "data", [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    rows = [write_rows(file, number) for number, file in enumerate(files)]
    made = registered_at_once(data, files)
    assert sorted(made) == ["golden@1", "golden@2"]
    known = {int(ref.removeprefix("golden@")): rows[place] for place, ref in enumerate(made)}
    assert whole_versions(data, known) == [2, 1]


def test_two_processes_that_register_equal_rows_at_once_make_one_version(tmp_path: Path) -> None:
    data, files = tmp_path / "data", [tmp_path / "one.jsonl", tmp_path / "same.jsonl"]
    rows = [write_rows(file, 0) for file in files]
    assert registered_at_once(data, files) == ["golden@1", "golden@1"]
    assert whole_versions(data, {1: rows[0]}) == [1]


def registered_at_once(data: Path, files: list[Path]) -> list[str]:
    open_workspace(CoreSettings(data_dir=data)).close()
    with ExitStack() as stack:
        processes = [stack.enter_context(started(data, file)) for file in files]
        for process in processes:
            go(process)
        ended = [process.communicate(timeout=ENDED_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    return [out.strip() for out, _ in ended]


def _as_csv(file: Path, rows: list[dict[str, object]]) -> Path:
    path = file.with_suffix(".csv")
    lines = [f"{row['id']},{row['text']},{row['share']!r}" for row in rows]
    path.write_text("\n".join(["id,text,share", *lines]))
    return path
