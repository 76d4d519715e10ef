"""Batches: order, isolation, aggregation, and going on after a kill."""

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.flows.batch import BatchResult, Progress, run_batch
from opsloop.flows.errors import InputInvalid
from opsloop.flows.journal import JournalOfOther
from opsloop.flows.lines import LinesHeld, NotLines
from opsloop.flows.loaded import load

WriteFlow = Callable[..., Path]

DAG = """
    inputs: {n: {type: int}}
    outputs: {square: {type: int, reference: "${work.output}"}}
    nodes: [{name: work, type: python, source: {path: work.py}, inputs: {n: "${inputs.n}", log: LOG}}]
"""
WORK = """
    from promptflow.core import tool
    @tool
    def work(n: int, log: str):
        if log:
            with open(log, "a") as file:
                file.write(f"{n}\\n")
        if n == 3:
            raise ValueError("three is out")
        return n * n
"""


@pytest.fixture
def squares(write_flow: WriteFlow) -> Path:
    return write_flow(DAG.replace("LOG", "''"), **{"work.py": WORK})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "calls.log"


@pytest.fixture
def logged(write_flow: WriteFlow, log: Path) -> Path:
    return write_flow(DAG.replace("LOG", str(log)), folder="logged", **{"work.py": WORK})


def batch(path: Path, rows: list[dict[str, Any]], **options: Any) -> BatchResult:
    return asyncio.run(run_batch(load(path), rows, **options))


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"n": number} for number in numbers]


def test_results_are_in_the_order_of_the_rows_and_a_bad_row_fails_alone(squares: Path) -> None:
    result = batch(squares, [{"n": n} for n in range(50)], concurrency=7)
    assert [row.outputs.get("square") for row in result.rows] == [None if n == 3 else n * n for n in range(50)]
    assert (result.completed, result.failed) == (49, 1)
    assert "three is out" in str(result.rows[3].error)
    assert result.rows[3].error_kind == "failed"


def test_a_row_with_bad_input_fails_alone(squares: Path) -> None:
    result = batch(squares, [{"n": 1}, {"n": "x"}, {}, {"n": None}])
    assert [row.error_kind for row in result.rows] == [None, "invalid", "invalid", "failed"]


def test_progress_is_told_after_each_row(squares: Path) -> None:
    told: list[Progress] = []
    batch(squares, rows(1, 2, 3), progress=told.append)
    assert told[-1] == Progress(done=3, total=3, failed=1, resumed=0)
    assert [each.done for each in told] == [1, 2, 3]


def test_no_rows_give_no_results(squares: Path) -> None:
    assert batch(squares, []).rows == ()


def test_a_mapping_that_does_not_fit_stops_before_the_first_row(squares: Path) -> None:
    with pytest.raises(InputInvalid, match=r"did you mean 'n'|an input of flow demo"):
        batch(squares, rows(1), mapping={"m": "${data.n}"})


def test_columns_of_an_earlier_run_can_be_evaluated(squares: Path) -> None:
    first = batch(squares, rows(2, 4))
    second = batch(squares, rows(0, 0), mapping={"n": "${run.outputs.square}"}, earlier=first.rows)
    assert [row.outputs["square"] for row in second.rows] == [16, 256]


def test_a_batch_with_a_journal_repeats_no_finished_row(logged: Path, log: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    first = batch(logged, rows(1, 2, 3), journal=journal)
    again = batch(logged, rows(1, 2, 3, 4), journal=journal)
    assert sorted(log.read_text().split()) == ["1", "2", "3", "4"]
    assert [row.resumed for row in again.rows] == [True, True, True, False]
    assert [row.outputs for row in again.rows][:3] == [row.outputs for row in first.rows]
    assert again.rows[2].error == first.rows[2].error


def test_failed_rows_are_run_again_when_asked(logged: Path, log: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    batch(logged, rows(1, 3), journal=journal)
    batch(logged, rows(1, 3), journal=journal, retry_failed=True)
    assert sorted(log.read_text().split()) == ["1", "3", "3"]


def test_a_row_whose_data_changed_is_run_again(logged: Path, log: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    batch(logged, rows(1, 2), journal=journal)
    result = batch(logged, rows(1, 5), journal=journal)
    assert [row.outputs["square"] for row in result.rows] == [1, 25]


def test_a_journal_of_another_flow_is_refused(squares: Path, logged: Path, tmp_path: Path) -> None:
    batch(squares, rows(1), journal=tmp_path / "j")
    with pytest.raises(JournalOfOther, match="choose another journal"):
        batch(logged, rows(1), journal=tmp_path / "j")


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_line_that_a_kill_cut_off_is_run_again(logged: Path, log: Path, tmp_path: Path, cut: int) -> None:
    journal = tmp_path / "journal.jsonl"
    batch(logged, rows(1, 2), journal=journal, concurrency=1)
    journal.write_bytes(journal.read_bytes()[: -1 - cut])
    result = batch(logged, rows(1, 2), journal=journal)
    assert [row.outputs["square"] for row in result.rows] == [1, 4]
    assert [row.resumed for row in result.rows] == [True, False]
    third = batch(logged, rows(1, 2), journal=journal)
    assert all(row.resumed for row in third.rows)


KILLED = """
import asyncio, sys
from pathlib import Path
from opsloop.flows.batch import run_batch
from opsloop.flows.loaded import load
rows = [{"n": n} for n in range(10, 210)]
def tell(progress):
    print(progress.done, flush=True)
asyncio.run(run_batch(load(sys.argv[1]), rows, journal=Path(sys.argv[2]), progress=tell, concurrency=4))
"""


@pytest.mark.parametrize("after", [1, 37, 120])
def test_a_killed_batch_goes_on_where_it_was(logged: Path, log: Path, tmp_path: Path, after: int) -> None:
    journal = tmp_path / "journal.jsonl"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(logged), str(journal)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged >= after:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.communicate()
    result = batch(logged, [{"n": n} for n in range(10, 210)], journal=journal)
    assert [row.outputs["square"] for row in result.rows] == [n * n for n in range(10, 210)]
    assert sum(row.resumed for row in result.rows) >= acknowledged
    calls = log.read_text().split()
    # Only rows in work at the moment of the kill, at most the concurrency, may have been called twice.
    assert len(calls) - len(set(calls)) <= 4
    entries = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert {entry["row"] for entry in entries if "row" in entry} == set(range(200))


EVALUATION = """
    inputs: {truth: {type: string}, answer: {type: string}}
    outputs: {grade: {type: string, reference: "${grade.output}"}}
    nodes:
    - {name: grade, type: python, source: {path: grade.py},
       inputs: {truth: "${inputs.truth}", answer: "${inputs.answer}"}}
    - {name: accuracy, type: python, aggregation: true, source: {path: accuracy.py},
       inputs: {grades: "${grade.output}", answers: "${inputs.answer}"}}
    - {name: report, type: python, aggregation: true, source: {path: report.py},
       inputs: {accuracy: "${accuracy.output}"}}
"""
EVALUATION_FILES = {
    "grade.py": """
        from promptflow.core import tool
        @tool
        def grade(truth: str, answer: str):
            if answer == "bad":
                raise ValueError(answer)
            return None if answer == "none" else (1.0 if truth == answer else 0.0) if answer != "nan" else float("nan")
    """,
    "accuracy.py": """
        from promptflow.core import log_metric, tool
        @tool
        def accuracy(grades: list, answers: list):
            assert len(grades) == len(answers)
            kept = [grade for grade in grades if grade is not None and grade == grade]
            log_metric("accuracy", sum(kept) / len(kept))
            log_metric(key="rows", value=len(grades))
            return {"kept": len(kept), "seen": [str(grade) for grade in grades]}
    """,
    "report.py": "from promptflow.core import tool\n@tool\ndef report(accuracy): return f\"{accuracy['kept']} kept\"\n",
}


def test_aggregation_sees_the_completed_rows_and_logs_metrics(write_flow: WriteFlow, tmp_path: Path) -> None:
    path = write_flow(EVALUATION, **EVALUATION_FILES)
    data = [{"truth": "a", "answer": answer} for answer in ("a", "b", "bad", "none", "nan", "a")]
    result = batch(path, data, journal=tmp_path / "j")
    assert result.aggregate_error is None
    assert result.aggregate.metrics == {"accuracy": 2 / 3, "rows": 5.0}
    assert result.aggregate.outputs == {
        "accuracy": {"kept": 3, "seen": ["1.0", "0.0", "None", "nan", "1.0"]},
        "report": "3 kept",
    }
    assert math.isnan(result.rows[4].outputs["grade"])
    resumed = batch(path, data, journal=tmp_path / "j")
    assert resumed.aggregate.outputs == result.aggregate.outputs


def test_an_aggregation_that_fails_leaves_the_rows(write_flow: WriteFlow) -> None:
    files = {
        **EVALUATION_FILES,
        "report.py": "from promptflow.core import tool\n@tool\ndef report(accuracy): return 1 / 0",
    }
    result = batch(write_flow(EVALUATION, **files), [{"truth": "a", "answer": "a"}])
    assert result.completed == 1
    assert "node 'report'" in str(result.aggregate_error)


def test_durations_come_from_the_clock_given(squares: Path) -> None:
    flow = load(squares, clock=FakeClock())
    result = asyncio.run(run_batch(flow, rows(1), clock=FakeClock()))
    assert (result.duration_ms, result.rows[0].duration_ms) == (0.0, 0.0)


# --- faults of the journal -------------------------------------------------------------------------------------------


def test_a_journal_that_another_batch_writes_is_refused(write_flow: WriteFlow, tmp_path: Path) -> None:
    flow = load(write_flow(ENDLESS, **{"wait.py": WAIT}))

    async def twice() -> None:
        told = asyncio.Event()
        first = asyncio.create_task(
            run_batch(flow, rows(1, 2), journal=tmp_path / "j", concurrency=1, progress=lambda _: told.set())
        )
        await told.wait()
        with pytest.raises(LinesHeld, match=f"in use by process {os.getpid()}"):
            await run_batch(flow, rows(1), journal=tmp_path / "j")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    asyncio.run(twice())


def test_a_damaged_line_is_told_and_its_row_is_run_again(logged: Path, log: Path, tmp_path: Path) -> None:
    journal = tmp_path / "j"
    batch(logged, rows(1, 2, 4), journal=journal, concurrency=1)
    lines = journal.read_bytes().splitlines()
    journal.write_bytes(b"\n".join([lines[0], lines[1], b"\0" * len(lines[2]), lines[3], b""]))
    again = batch(logged, rows(1, 2, 4), journal=journal)
    assert again.damaged == 1
    assert [row.resumed for row in again.rows] == [True, False, True]
    assert log.read_text().split() == ["1", "2", "4", "2"]


def test_a_file_that_is_no_journal_is_left_as_it_is(squares: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"square": 1}\n')
    with pytest.raises(NotLines, match="is no journal"):
        batch(squares, rows(1), journal=tmp_path / "answers.jsonl")
    assert (tmp_path / "answers.jsonl").read_text() == '{"square": 1}\n'


FULL = """
import resource, signal, sys, asyncio
from pathlib import Path
from opsloop.flows.batch import run_batch
from opsloop.flows.lines import LinesUnwritable
from opsloop.flows.loaded import load
flow = load(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
done = 0
def tell(progress):
    global done
    done = progress.done
try:
    asyncio.run(run_batch(flow, [{"n": n} for n in range(10, 510)], journal=Path(sys.argv[2]), progress=tell))
except LinesUnwritable as error:
    print(done)
    print(error)
"""


def test_a_disk_without_room_ends_the_batch_with_a_sentence_and_loses_no_row_that_was_told(
    squares: Path, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(squares), str(tmp_path / "j")], capture_output=True, text=True, check=True
    )
    told, sentence = ended.stdout.splitlines()
    assert "cannot be written" in sentence
    assert "start again" in sentence
    again = batch(squares, [{"n": n} for n in range(10, 510)], journal=tmp_path / "j")
    assert again.damaged == 0
    assert int(told) > 0
    assert sum(row.resumed for row in again.rows) >= int(told)
    assert [row.outputs["square"] for row in again.rows] == [n * n for n in range(10, 510)]


# --- rows that do not end, and what an earlier run left out ----------------------------------------------------------


ENDLESS = """
    inputs: {n: {type: int}}
    outputs: {n: {type: int, reference: "${wait.output}"}}
    nodes: [{name: wait, type: python, source: {path: wait.py}, inputs: {n: "${inputs.n}"}}]
"""
WAIT = """
    import threading
    from promptflow.core import tool
    @tool
    def wait(n: int):
        if n == 2:
            threading.Event().wait()
        return n
"""


def test_a_row_that_never_ends_fails_alone_when_its_time_is_over(write_flow: WriteFlow) -> None:
    result = batch(write_flow(ENDLESS, **{"wait.py": WAIT}), rows(1, 2, 3), row_timeout_s=3.0)
    assert [row.error_kind for row in result.rows] == [None, "timed_out", None]
    assert "did not end within 3 s" in str(result.rows[1].error)


def test_rows_that_failed_in_the_earlier_run_are_left_out_and_the_others_keep_their_numbers(squares: Path) -> None:
    first = batch(squares, rows(2, 3, 4))
    second = batch(squares, rows(0, 0, 0), mapping={"n": "${run.outputs.square}"}, earlier=first.rows)
    assert [(row.index, row.outputs["square"]) for row in second.rows] == [(0, 16), (2, 256)]
    assert second.left_out == (1,)


def test_a_default_of_null_is_none_so_the_column_of_that_name_is_used(write_flow: WriteFlow) -> None:
    dag = DAG.replace("LOG", "''").replace("{type: int}}\n    outputs", "{type: int, default: null}}\n    outputs")
    result = batch(write_flow(dag, **{"work.py": WORK}), rows(5))
    assert result.rows[0].outputs == {"square": 25}
