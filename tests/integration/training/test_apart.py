"""Training in a process of its own: from a Parquet file to an answer, and ended at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.datasets.models import Column, ColumnType
from opsloop.training.answer import Answer
from opsloop.training.apart import TrainingBroke, run_apart
from opsloop.training.errors import DataUnfit, FunctionBroke, PipelineInvalid
from opsloop.training.orders import Order, Project
from opsloop.training.reading import Wanted

SCHEMA = (
    Column("a", ColumnType.INTEGER),
    Column("colour", ColumnType.TEXT),
    Column("day", ColumnType.TEXT),
    Column("y", ColumnType.NUMBER),
)


@pytest.fixture
def parquet(tmp_path: Path) -> str:
    path = tmp_path / "rows.parquet"
    with duckdb.connect() as duck:
        duck.execute(
            "COPY (SELECT range AS a, CASE WHEN range % 5 > 0 THEN ['red', 'blue'][1 + range % 2] END AS colour, "
            "(DATE '2026-01-01' + (range // 10)::INT)::VARCHAR AS day, (range * 3 + range % 13)::DOUBLE AS y "
            f"FROM range(300)) TO '{path}' (FORMAT parquet)"
        )
    return str(path)


def order(parquet: str, wanted: Wanted | None = None, folder: str = "", **declared: Any) -> Order:
    pipeline = {"target": "y", "features": ["a", "colour"], "steps": ["ridge"], "cross_validation": {"folds": 2}}
    if "train" in declared:
        del pipeline["steps"]
    return Order(
        declared={**pipeline, **declared},
        parquet=parquet,
        schema=SCHEMA,
        at="p",
        folder=folder,
        wanted=wanted or Wanted(),
        data={"dataset": "rows@1"},
    )


def ignore(done: int, total: int, message: str) -> None:
    pass


def test_an_order_is_answered_and_progress_is_told(parquet: str) -> None:
    told: list[str] = []
    answer = msgspec.msgpack.decode(
        run_apart(order(parquet), lambda done, total, message: told.append(message)), type=Answer
    )
    assert answer.report.metrics["r2"] > 0.99
    assert answer.report.environment["dataset"] == "rows@1"
    assert {"starting", "cross-validating", "fitting"} <= set(told)


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (Wanted(newest=50), 50),
        (Wanted(newest=40, column="day"), 40),
        (Wanted(since="2026-01-21T00:00:00+00:00", column="day"), 100),
        (Wanted(since="2026-01-21", column="day", newest=30), 30),
    ],
)
def test_a_window_chooses_the_rows(parquet: str, wanted: Wanted, rows: int) -> None:
    answer = msgspec.msgpack.decode(run_apart(order(parquet, wanted, holdout=0), ignore), type=Answer)
    assert answer.report.rows == rows
    assert answer.report.features[0].high == 299


def test_errors_are_those_of_the_process(parquet: str) -> None:
    with pytest.raises(PipelineInvalid, match=r"p.steps\[0\]: is 'rigde'; .*did you mean 'ridge'") as caught:
        run_apart(order(parquet, steps=["rigde"]), ignore)
    assert caught.value.facts["field"] == "p.steps[0]"
    with pytest.raises(DataUnfit, match="column day: is '2026-01-01'; wanted no dates as text"):
        run_apart(order(parquet, features=["a", "day"]), ignore)
    with pytest.raises(DataUnfit, match="window: is '2027-01-01'; wanted rows; none has a later day"):
        run_apart(order(parquet, Wanted(since="2027-01-01", column="day")), ignore)
    with pytest.raises(DataUnfit, match=r"window\.column: is 'a'; wanted a column of dates such as 2026-11-01"):
        run_apart(order(parquet, Wanted(since="2026-01-01", column="a")), ignore)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("def fit(X, y): raise ValueError('no')", FunctionBroke, "model.py:fit of the pipeline failed: ValueError: no"),
        ("import os\ndef fit(X, y): os._exit(3)", TrainingBroke, "ended with code 3; it said last: nothing"),
        ("import os\ndef fit(X, y): print('bye', flush=True); os._exit(3)", TrainingBroke, "it said last: bye"),
        ("import os\ndef fit(X, y): os.kill(os.getpid(), 9)", TrainingBroke, "by SIGKILL; look whether it needed more"),
    ],
)
def test_whatever_a_users_function_does_is_a_sentence(
    parquet: str, tmp_path: Path, text: str, kind: type[Exception], sentence: str
) -> None:
    (tmp_path / "model.py").write_text(text)
    with pytest.raises(kind, match=sentence):
        run_apart(order(parquet, folder=str(tmp_path), train="model.py:fit"), ignore)


def test_a_cancelled_run_ends_with_all_that_it_started(parquet: str, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(
        "import os, subprocess, sys, time\nfrom pathlib import Path\n"
        "def fit(X, y):\n"
        "    other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"    Path({str(tmp_path / 'pids')!r}).write_text(f'{{os.getpid()}} {{other.pid}}.')\n"
        "    time.sleep(600)\n"
    )

    class Cancelled(Exception):
        pass

    pids = tmp_path / "pids"

    def progress(done: int, total: int, message: str) -> None:
        if pids.exists() and pids.read_text().endswith("."):
            raise Cancelled

    with pytest.raises(Cancelled):
        run_apart(order(parquet, folder=str(tmp_path), train="model.py:fit"), progress)
    for pid in pids.read_text().rstrip(".").split():
        _wait_until_gone(int(pid))


def _wait_until_gone(pid: int, patience_s: float = 60.0) -> None:
    """Until it has ended, or waits only for whoever adopted it to look at how it ended."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
    raise AssertionError(f"process {pid} is still there")


def test_a_function_reads_the_projects_datasets(parquet: str, tmp_path: Path, sqlite_workspace: Workspace) -> None:
    with sqlite_workspace.writing(Caller("test:admin", Role.ADMIN)) as uow:
        datasets.register(uow, "limits", "limits.jsonl", b'{"depth": 3}\n')
    (tmp_path / "model.py").write_text(
        "from opsloop import read_dataset\nfrom sklearn.tree import DecisionTreeRegressor\n"
        "def build():\n    return DecisionTreeRegressor(max_depth=read_dataset('limits')[0]['depth'])\n"
    )
    declared = {"target": "y", "features": ["a"], "build": "model.py:build", "cross_validation": {"folds": 2}}
    asked = Order(
        declared=declared,
        parquet=parquet,
        schema=SCHEMA,
        folder=str(tmp_path),
        project=Project.of(sqlite_workspace),
    )
    answer = msgspec.msgpack.decode(run_apart(asked, ignore), type=Answer)
    assert answer.report.metrics["r2"] > 0.9


def test_a_run_ends_with_the_process_that_asked_for_it(parquet: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    (tmp_path / "model.py").write_text(
        "import os, time\nfrom pathlib import Path\n"
        f"def fit(X, y):\n    Path({str(pid_file)!r}).write_text(f'{{os.getpid()}}.')\n    time.sleep(600)\n"
    )
    asked = msgspec.json.encode(order(parquet, folder=str(tmp_path), train="model.py:fit"))
    (tmp_path / "order.json").write_bytes(asked)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, msgspec; from pathlib import Path; from opsloop.training.apart import run_apart; "
            "from opsloop.training.orders import Order; "
            "run_apart(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order), lambda *_: None)",
            str(tmp_path / "order.json"),
        ]
    )
    end = time.monotonic() + 120.0
    while not (pid_file.exists() and pid_file.read_text().endswith(".")):
        assert time.monotonic() < end
        assert parent.poll() is None
    parent.kill()
    parent.wait()
    _wait_until_gone(int(pid_file.read_text().rstrip(".")))
