"""Rows whose Python captures what it prints: each reads its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from opsloop.flows.batch import run_batch
from opsloop.flows.loaded import load

WriteFlow = Callable[..., Path]

DAG = """
    inputs: {n: {type: int}}
    outputs: {said: {type: string, reference: "${work.output}"}}
    nodes: [{name: work, type: python, source: {path: work.py}, inputs: {n: "${inputs.n}"}}]
"""
CAPTURED = """
import sys
import time
from io import StringIO

def captured(n):
    before = sys.stdout
    sys.stdout = StringIO()
    print(n, end=" ")
    time.sleep(0.002)
    exec(f"print({n})")
    said = sys.stdout.getvalue()
    if n % 5:
        sys.stdout = before
    return said.strip()
"""
WORK = "\n@tool\ndef work(n: int) -> str:\n    return captured(n)\n"
TOOL = f"from promptflow.core import tool\n{CAPTURED}{WORK}"
ELSEWHERE = f"from promptflow.core import tool\nfrom helper import captured\n{WORK}"
CLASS = CAPTURED + "\nclass Work:\n    def __call__(self, n: int) -> str:\n        return captured(n)\n"


def said_in(path: Path) -> list[str]:
    rows = [{"n": number} for number in range(40)]
    done = asyncio.run(run_batch(load(path), rows, concurrency=16))
    assert [row.error for row in done.rows if row.error] == []
    return [next(iter(row.outputs.values())) for row in done.rows]


@pytest.mark.parametrize("files", [{"work.py": TOOL}, {"work.py": ELSEWHERE, "helper.py": CAPTURED}])
def test_a_tool_reads_what_it_printed_itself(write_flow: WriteFlow, files: dict[str, str]) -> None:
    before = sys.stdout
    assert said_in(write_flow(DAG, **files)) == [f"{number} {number}" for number in range(40)]
    assert sys.stdout is before


def test_so_does_a_class(tmp_path: Path) -> None:
    (tmp_path / "flow.flex.yaml").write_text("entry: work:Work\n")
    (tmp_path / "work.py").write_text(CLASS)
    assert said_in(tmp_path) == [f"{number} {number}" for number in range(40)]
