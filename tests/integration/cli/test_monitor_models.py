"""`opsloop monitor drift`, `performance`, `segments`, `label`, `export` against the routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from opsloop.cli.exits import code_of
from opsloop.cli.main import opsloop
from opsloop.client import local
from opsloop.client.in_process import InProcess
from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from tests.integration.client.routes import Routes
from tests.integration.monitoring.iris import Iris, drifted, stage

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.setattr(local, "in_process", lambda project: InProcess(Routes(sqlite_workspace, admin)))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *arguments: CliRunner().invoke(opsloop, list(arguments), standalone_mode=False)


@pytest.fixture
def iris(sqlite_workspace: Workspace, clock: FakeClock) -> Iris:
    return drifted(sqlite_workspace, clock)


def code(done: Result) -> int:
    return 0 if done.exception is None else code_of(done.exception)


def test_drift_is_told_with_its_feature_and_exit_code_6(run: Run, iris: Iris) -> None:
    done = run("monitor", "drift", "iris")
    assert code(done) == 6
    assert "sepal_length is 1.9 sd larger than in the reference" in done.stdout
    assert "sepal_length   1.08" in done.stdout
    assert "between sepal_width (min 2)" in done.stdout
    assert "iris drifted: sepal_length is 1.9 sd larger" in str(done.exception)


def test_no_drift_is_exit_code_0(run: Run, sqlite_workspace: Workspace, clock: FakeClock) -> None:
    stage(sqlite_workspace, clock).checkpoint(0.2, {"sepal_length": 0.2}, rows=500)
    done = run("monitor", "drift", "iris")
    assert code(done) == 0
    assert "no drift in 500 rows" in done.stdout


def test_an_endpoint_without_a_model_is_not_found(run: Run) -> None:
    assert code(run("monitor", "drift", "nobody")) == 3


def test_an_alarm_is_closed_with_a_reason(run: Run, iris: Iris) -> None:
    assert code(run("monitor", "drift", "iris", "--close")) == 2
    assert code(run("monitor", "drift", "iris", "--accept")) == 2
    done = run("monitor", "drift", "iris", "--close", "--reason", "the sensor was cleaned")
    assert code(done) == 0
    assert "the watch begins anew" in done.stdout
    assert code(run("monitor", "drift", "iris")) == 0
    assert code(run("monitor", "drift", "iris", "--close", "--reason", "again")) == 3


def test_one_json_document_holds_the_report(run: Run, iris: Iris) -> None:
    done = run("monitor", "drift", "iris", "--json")
    assert json.loads(done.stdout)["watches"][0]["features"][0]["feature"] == "sepal_length"
    assert code(done) == 6


def test_performance_is_told_beside_validation(run: Run, iris: Iris) -> None:
    done = run("monitor", "performance", "iris")
    assert code(done) == 0
    assert "350 of 550 rows" in done.stdout
    assert "accuracy" in done.stdout


def test_parts_are_a_table(run: Run, iris: Iris) -> None:
    done = run("monitor", "segments", "iris", "--by", "colour")
    assert code(done) == 0
    assert done.stdout.splitlines()[0].split() == [
        "COLOUR", "ROWS", "SHARE", "REFERENCE", "MOVED", "ACCURACY", "LABELS"
    ]  # fmt: skip
    assert code(run("monitor", "segments", "iris", "--by", "weight")) == 3


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl"])
def test_labels_of_a_file_are_sent_and_refusals_told(run: Run, iris: Iris, name: str) -> None:
    first, second = iris.ask(2)
    rows = [(first, 0, "setosa"), (second, 0, "virginica"), (second, 7, "virginica")]
    lines = ["request_id,row,label", *(",".join(map(str, row)) for row in rows)]
    if name.endswith("jsonl"):
        lines = [json.dumps({"request_id": row[0], "row": row[1], "label": row[2]}) for row in rows]
    Path(name).write_text("\n".join(lines) + "\n")
    done = run("monitor", "label", "iris", name)
    assert code(done) == 0
    assert done.stdout.startswith("2 kept, 1 refused")
    assert "row 7 is beyond the request's 1 rows" in done.stdout


def test_a_file_of_which_every_label_is_refused_is_bad_input(run: Run, iris: Iris) -> None:
    Path("labels.csv").write_text("request_id,label\nreq_1,3\n")
    done = run("monitor", "label", "iris", "labels.csv")
    assert code(done) == 2
    assert "label is 3; the model predicts texts such as 'setosa'" in str(done.exception)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.csv", "id,label\na,b\n", "line 1: wanted the columns request_id and label; it has id, label"),
        ("labels.csv", "request_id,row,label\na,x,b\n", "line 2: row is 'x'"),
        ("labels.jsonl", "{}\n", "line 1: wanted an object with request_id and label"),
        ("labels.jsonl", '{"request_id": "a", "label": 1}\nnonsense\n', "line 2: not JSON"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_line(run: Run, name: str, text: str, said: str) -> None:
    Path(name).write_text(text)
    done = run("monitor", "label", "iris", name)
    assert code(done) == 2
    assert said in str(done.exception)


def test_labelled_rows_are_exported(run: Run, iris: Iris) -> None:
    pytest.importorskip("duckdb", reason="datasets need the extra data")
    done = run("monitor", "export", "iris", "--as", "served", "--rows", "50")
    assert code(done) == 0
    assert done.stdout.startswith("served@1: 50 of ")


@pytest.mark.parametrize(
    ("values", "typed"),
    [
        (["1", "0"], [1, 0]),
        (["1.5", "2"], [1.5, 2.0]),
        (["true", "False"], [True, False]),
        (["1", "b"], ["1", "b"]),
        (["007", "1"], ["007", "1"]),
    ],
)
def test_labels_of_a_csv_file_are_of_one_type(tmp_path: Path, values: list[str], typed: list[Any]) -> None:
    from opsloop.cli.monitor_labels import read

    file = tmp_path / "labels.csv"
    file.write_text("request_id,label\n" + "".join(f"req_{n},{value}\n" for n, value in enumerate(values)))
    assert [each["label"] for each in read(file)] == typed
    assert [each["label"] for each in read(file, as_text=True)] == values
