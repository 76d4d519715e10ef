"""`opsloop model predict` with a version of the registry, a folder, a file; what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsloop.cli.exits import code_of
from opsloop.cli.main import opsloop
from opsloop.models import bundle as bundles
from tests.unit.models.made import IRIS_NAMES, iris_candidate

Run = Callable[..., Result]
ROWS = f"id,{','.join(IRIS_NAMES)}\na,5.1,3.5,1.4,0.2\nb,6.5,3.0,5.5,1.8\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "opsloop.yaml").write_text("")
    bundles.write(iris_candidate(), tmp_path / "exported")
    (tmp_path / "rows.csv").write_text(ROWS)
    return lambda *arguments: CliRunner().invoke(opsloop, list(arguments), standalone_mode=False)


def code(done: Result) -> int:
    return 0 if done.exception is None else code_of(done.exception)


def test_a_registered_version_predicts_a_file(run: Run, tmp_path: Path) -> None:
    imported = run("model", "import", "iris", "exported", "--alias", "champion")
    assert code(imported) == 0, imported.exception
    done = run("model", "predict", "iris@champion", "rows.csv", "--out", "out.jsonl")
    assert code(done) == 0, done.exception
    assert done.stdout == "predicted 2 of 2 rows; they are in out.jsonl\n"
    said = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["id"], row["prediction"]) for row in said] == [("a", 0), ("b", 2)]


@pytest.mark.parametrize("model", ["exported", "exported/model.onnx", "alone.onnx"])
def test_files_need_no_platform(run: Run, tmp_path: Path, model: str) -> None:
    if model == "alone.onnx":  # a graph alone has no names for its columns
        (tmp_path / "exported" / "model.onnx").rename(tmp_path / model)
        numbers = ROWS.replace(",".join(IRIS_NAMES), "x0,x1,x2,x3")
        (tmp_path / "rows.csv").write_text(numbers)
    done = run("model", "predict", model, "rows.csv", "--out", "out.csv", "--json")
    assert json.loads(done.stdout) == {"out": "out.csv", "rows": 2, "broken": 0, "first": None}
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == "a,5.1,3.5,1.4,0.2,0,"
    assert not (tmp_path / ".opsloop").exists()


def test_broken_rows_are_exit_code_1_and_the_others_are_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS + "c,wide,1,1,1\n")
    done = run("model", "predict", "exported", "rows.csv", "--out", "out.csv")
    assert code(done) == 1
    assert str(done.exception) == (
        "1 of 3 rows were not predicted; the first: line 4: column 'sepal_length' is 'wide'; wanted a finite number"
    )
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 4


def test_a_pickle_is_refused_unread(run: Run, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    done = run("model", "predict", "model.pkl", "rows.csv", "--out", "out.csv")
    assert code(done) == 2
    assert "is a pickle, and loading one runs whatever is inside" in str(done.exception)
    assert not (tmp_path / "ran").exists()


def test_a_model_that_nobody_knows_is_not_found(run: Run) -> None:
    assert code(run("model", "predict", "roses", "rows.csv", "--out", "out.csv")) == 3
