"""What a batch gives, wherever its rows run: in this process, on workers, on Ray."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.compute.settings import ComputeSettings
from opsloop.flows.batch import BatchResult, run_batch
from opsloop.flows.compute.fake_workers import FakeWorkers
from opsloop.flows.compute.in_process import InProcess
from opsloop.flows.compute.on_workers import OnWorkers
from opsloop.flows.compute.port import Compute
from opsloop.flows.loaded import load
from opsloop.flows.row_result import RowResult
from opsloop.flows.values import plain

WITHOUT_RAY = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'opsloop[ray]'"
)
DAG = """
    inputs: {n: {type: int}}
    outputs: {square: {type: int, reference: "${work.output}"}, said: {type: string, reference: "${ask.output}"}}
    nodes:
    - {name: work, type: python, source: {path: work.py}, inputs: {n: "${inputs.n}"}}
    - {name: ask, type: llm, source: {path: ask.jinja2}, inputs: {model: m, n: "${work.output}"}}
    - {name: total, type: python, aggregation: true, source: {path: total.py}, inputs: {squares: "${work.output}"}}
"""
FILES = {
    "ask.jinja2": "user:\nWhat is {{n}}?\n",
    "work.py": """
        import os
        from pathlib import Path
        from promptflow.core import tool
        @tool
        def work(n: int):
            if n == 3:
                raise ValueError("three is out")
            if n == 7 and not (mark := Path("MARK")).exists():
                mark.touch()
                os._exit(1)
            return n * n
    """,
    "total.py": """
        from promptflow.core import log_metric, tool
        @tool
        def total(squares: list):
            log_metric("total", sum(squares))
    """,
}


@pytest.fixture(scope="module")
def ray_workers() -> Iterator[Compute]:
    from opsloop.flows.compute.ray_session import connected

    with connected(ComputeSettings(ray_workers=2)) as workers:
        yield OnWorkers(workers)


@pytest.fixture(params=["in process", "workers", "workers elsewhere", pytest.param("ray", marks=WITHOUT_RAY)])
def compute(request: pytest.FixtureRequest) -> Compute:
    if request.param == "ray":
        workers: Compute = request.getfixturevalue("ray_workers")
        return workers
    if request.param == "in process":
        return InProcess()
    return OnWorkers(FakeWorkers(is_elsewhere=request.param == "workers elsewhere"))


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    folder = tmp_path / "flow"
    folder.mkdir()
    for name, text in {"flow.dag.yaml": DAG, **FILES}.items():
        (folder / name).write_text(textwrap.dedent(text).replace("MARK", str(tmp_path / "mark")))
    return folder


def batch(flow: Path, numbers: list[Any], **options: Any) -> BatchResult:
    return asyncio.run(run_batch(load(flow), [{"n": n} for n in numbers], concurrency=4, **options))


def alike(row: RowResult) -> tuple[object, ...]:
    """All of a row but how long it took."""
    nodes = [plain(replace(node, start_ms=0, duration_ms=0)) for node in row.nodes]
    return replace(row, duration_ms=0, nodes=()), sorted(nodes, key=lambda node: str(node["node"]))


NUMBERS: list[Any] = [*range(6), "x", *range(8, 40)]
TOTAL = sum(n * n for n in NUMBERS if n not in (3, "x"))


def test_rows_traces_tokens_and_metrics_are_those_of_a_batch_in_process(flow: Path, compute: Compute) -> None:
    here, there = batch(flow, NUMBERS), batch(flow, NUMBERS, compute=compute)
    assert [alike(row) for row in there.rows] == [alike(row) for row in here.rows]
    assert (there.completed, there.failed) == (len(NUMBERS) - 2, 2)
    assert there.rows[5].nodes
    assert there.tokens == here.tokens
    assert there.tokens.calls == len(NUMBERS) - 2
    assert (
        there.aggregate.metrics == here.aggregate.metrics == {"total": sum(n * n for n in NUMBERS if n not in (3, "x"))}
    )


def test_a_batch_goes_on_with_the_rows_and_calls_its_journal_has(flow: Path, tmp_path: Path, compute: Compute) -> None:
    batch(flow, [1, 2], journal=tmp_path / "j", compute=compute)
    kept = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]
    again = batch(flow, [1, 2, 4], journal=tmp_path / "j", compute=compute)
    assert sum("call" in line for line in kept) == 2
    assert [row.resumed for row in again.rows] == [True, True, False]


def test_a_cache_serves_all_rows(flow: Path, tmp_path: Path, compute: Compute) -> None:
    first = batch(flow, [1, 2], cache=tmp_path / "cache", compute=compute)
    second = batch(flow, [2, 1, 4], cache=tmp_path / "cache", compute=compute)
    assert (first.from_cache, second.from_cache) == (0, 2)


@WITHOUT_RAY
def test_a_row_whose_worker_is_killed_runs_again_on_another(flow: Path, ray_workers: Compute, tmp_path: Path) -> None:
    done = batch(flow, [1, 7, 8, 9, 10, 11], compute=ray_workers)
    assert [row.outputs["square"] for row in done.rows] == [1, 49, 64, 81, 100, 121]
    assert (tmp_path / "mark").exists()
