"""Rows on workers that are lost, do not start, or run what only this process has."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.errors import ExtraNeeded, InvalidInput
from opsloop.flows.batch import BatchResult, run_batch
from opsloop.flows.compute.choice import chosen
from opsloop.flows.compute.fake_workers import FakeWorkers
from opsloop.flows.compute.in_process import InProcess
from opsloop.flows.compute.jobs import BoundToProcess
from opsloop.flows.compute.on_workers import OnWorkers
from opsloop.flows.compute.workers import WorkersAway
from opsloop.flows.loaded import load
from tests.integration.flows.conftest import ScriptedModel

WriteFlow = Callable[..., Path]

DAG = """
    inputs: {n: {type: int}}
    outputs: {square: {type: int, reference: "${work.output}"}}
    nodes:
    - {name: work, type: python, source: {path: work.py}, inputs: {n: "${inputs.n}"}}
"""
WORK = "from promptflow.core import tool\n@tool\ndef work(n: int): return n * n\n"
ASKING = """
    inputs: {n: {type: int}}
    outputs: {said: {type: string, reference: "${ask.output}"}}
    nodes: [{name: ask, type: llm, source: {path: ask.jinja2}, inputs: {model: m, n: "${inputs.n}"}}]
"""


@pytest.fixture
def squares(write_flow: WriteFlow) -> Path:
    return write_flow(DAG, **{"work.py": WORK})


def batch(path: Path, workers: FakeWorkers, numbers: Sequence[int], **options: Any) -> BatchResult:
    work = run_batch(load(path), [{"n": n} for n in numbers], compute=OnWorkers(workers), **options)
    return asyncio.run(work)


def test_rows_go_to_all_workers_and_come_back_in_their_order(squares: Path) -> None:
    workers = FakeWorkers(3)
    done = batch(squares, workers, range(100), concurrency=6)
    assert [row.outputs["square"] for row in done.rows] == [n * n for n in range(100)]
    assert sorted(n for chunk in workers.chunks for n in chunk) == list(range(100))
    assert (workers.started, workers.stopped) == (3, 3)


def test_there_are_no_more_workers_than_rows_may_be_in_work(squares: Path) -> None:
    workers = FakeWorkers(8)
    batch(squares, workers, range(10), concurrency=2)
    assert workers.started == 2


def test_a_row_whose_worker_was_lost_runs_again_alone(squares: Path) -> None:
    workers = FakeWorkers(1, deaths={5: 1})
    done = batch(squares, workers, range(20))
    assert done.failed == 0
    assert [5] in workers.chunks
    assert workers.started == 2


def test_a_row_that_ends_two_workers_fails_alone(squares: Path) -> None:
    done = batch(squares, FakeWorkers(2, deaths={5: 9}), range(20))
    assert [row.index for row in done.rows if not row.is_completed] == [5]
    assert done.rows[5].error_kind == "unavailable"
    assert "ended, and so did the one that tried it again alone: it was told to" in str(done.rows[5].error)


def test_a_row_that_runs_again_pays_no_model_call_twice(write_flow: WriteFlow, tmp_path: Path) -> None:
    path = write_flow(ASKING, **{"ask.jinja2": "user:\nWhat is {{n}}?\n"})
    batch(path, FakeWorkers(1, deaths={0: 1, 1: 1}), range(3), journal=tmp_path / "j")
    assert (tmp_path / "j").read_text().count('"call":') == 3


def test_a_worker_that_does_not_start_is_started_again(squares: Path) -> None:
    assert batch(squares, FakeWorkers(1, failing_starts=2), range(3)).completed == 3


def test_a_batch_whose_workers_never_start_ends_with_a_sentence(squares: Path) -> None:
    with pytest.raises(WorkersAway, match="no worker could be started: it was told to"):
        batch(squares, FakeWorkers(2, failing_starts=99), range(3))


def test_a_cancelled_batch_stops_its_workers(write_flow: WriteFlow) -> None:
    for_ever = (
        "import asyncio\nfrom promptflow.core import tool\n@tool\nasync def work(n): await asyncio.Event().wait()\n"
    )
    path = write_flow(DAG, **{"work.py": for_ever})
    workers = FakeWorkers(2)

    async def cancelled() -> None:
        work = asyncio.ensure_future(run_batch(load(path), [{"n": 1}, {"n": 2}], compute=OnWorkers(workers)))
        while len(workers.chunks) < 2:
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(cancelled())
    assert workers.stopped == 2


def test_a_flow_with_an_object_of_this_process_is_refused(squares: Path) -> None:
    flow = load(squares, chat=ScriptedModel())
    with pytest.raises(BoundToProcess, match="OPSLOOP_COMPUTE=local"):
        asyncio.run(run_batch(flow, [{"n": 1}], compute=OnWorkers(FakeWorkers())))


def test_rows_run_in_this_process_unless_the_settings_say_otherwise() -> None:
    with chosen() as compute:
        assert isinstance(compute, InProcess)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_COMPUTE", "ray")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExtraNeeded, match=r"pip install 'opsloop\[ray\]'"), chosen():
        pass


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "auto"])
def test_an_address_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'opsloop[ray]'")
    monkeypatch.setenv("OPSLOOP_COMPUTE", "ray")
    monkeypatch.setenv("OPSLOOP_RAY_ADDRESS", address)
    with pytest.raises(InvalidInput, match="wanted HOST:PORT"), chosen():
        pass
