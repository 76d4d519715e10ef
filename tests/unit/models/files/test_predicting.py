"""Files past a model: the rows in order, what the model says beside them, a broken row by itself."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from opsloop.core.errors import InvalidInput, NotFound
from opsloop.datasets.errors import FileBroken
from opsloop.models import bundle as bundles
from opsloop.models import runtime
from opsloop.models.candidate import Candidate
from opsloop.models.files.predicting import BATCH_ROWS, Wanted, predict_file
from opsloop.models.intervals import NoIntervals
from opsloop.models.runtime import LoadedModel
from opsloop.models.signature import Task
from tests.unit.models.made import IRIS_NAMES, candidate, iris, iris_candidate, mixed

HEADER = ",".join(IRIS_NAMES)


def loaded(made: Candidate, folder: Path) -> LoadedModel:
    bundles.write(made, folder)
    return runtime.load_folder(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    conformal = {"scores": [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]}
    return loaded(iris_candidate(conformal=conformal), tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    X, y = mixed()
    columns = make_column_transformer((OneHotEncoder(), [1]), remainder="passthrough")
    made = candidate(make_pipeline(columns, LinearRegression()), X, y, Task.REGRESSION)
    return loaded(made, tmp_path_factory.mktemp("colours"))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_comes_out_as_it_stood_with_what_the_model_says(model: LoadedModel, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text(f"id,{HEADER}\n007,5.10,3.5,1.4,0.2\n008,6.5,3.0,5.5,1.8\n")
    found = predict_file(model, rows, out)
    assert (found.rows, found.broken, found.first) == (2, 0, None)
    assert out.read_text() == (
        f"id,{HEADER},prediction,prediction_error\n007,5.10,3.5,1.4,0.2,0,\n008,6.5,3.0,5.5,1.8,2,\n"
    )


def test_broken_rows_stand_by_themselves_and_say_why(model: LoadedModel, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text(
        f"{HEADER}\n5.1,3.5,1.4,0.2\n5.1,wide,1.4,0.2\n5.1,3.5\n,3.5,1.4,0.2\n1e999,3.5,1.4,0.2\n6.5,3.0,5.5,1.8\n"
    )
    found = predict_file(model, rows, out)
    said = table(out)
    assert [row["prediction"] for row in said] == ["0", "", "", "", "", "2"]
    assert said[1]["prediction_error"] == "line 3: column 'sepal_width' is 'wide'; wanted a finite number"
    assert said[2]["prediction_error"] == "line 4: has 2 cells; wanted 4, as the header has"
    assert said[3]["prediction_error"] == "line 5: column 'sepal_length' is missing; wanted a finite number"
    assert said[4]["prediction_error"] == "line 6: column 'sepal_length' is '1e999'; wanted a finite number"
    assert (found.rows, found.broken, found.first) == (6, 4, said[1]["prediction_error"])


def test_a_line_that_is_no_json_costs_its_own_prediction_only(model: LoadedModel, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    good = dict(zip(IRIS_NAMES, (6.5, 3.0, 5.5, 1.8), strict=True))
    texts = [json.dumps(good), "{broken", "[1]", "", json.dumps(good | {"petal_width": "1.8"}), json.dumps(good)]
    rows.write_text("\n".join(texts))
    found = predict_file(model, rows, out)
    said = lines(out)
    assert [row["prediction"] for row in said] == [2, None, None, None, 2]
    assert said[0] == {**good, "prediction": 2, "prediction_error": None}
    assert said[1]["prediction_error"].startswith("line 2: wanted a JSON object")
    assert said[3]["prediction_error"] == "line 5: column 'petal_width' is '1.8'; wanted a finite number"
    assert found.broken == 3


def test_a_file_of_one_format_becomes_one_of_another(model: LoadedModel, tmp_path: Path) -> None:
    X, _ = iris()
    rows, parquet, back = tmp_path / "rows.csv", tmp_path / "out.parquet", tmp_path / "back.jsonl"
    rows.write_text(HEADER + "\n" + "\n".join(",".join(map(str, row)) for row in X.tolist()))
    predict_file(model, rows, parquet, Wanted(probabilities=True))
    names = [each[0] for each in duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(parquet)]).fetchall()]
    assert names[-5:-1] == ["prediction", *(f"prediction_probability_{each}" for each in (0, 1, 2))]
    source = tmp_path / "numbers.parquet"
    columns = ", ".join(f"{name}::DOUBLE AS {name}" for name in IRIS_NAMES)
    duckdb.execute(f"COPY (SELECT {columns} FROM read_parquet('{parquet}')) TO '{source}' (FORMAT parquet)")
    predict_file(model, source, back)
    assert [row["prediction"] for row in lines(back)] == model.predict(X).values


def test_rows_keep_their_order_over_many_batches(model: LoadedModel, tmp_path: Path) -> None:
    X, _ = iris()
    count = 2 * BATCH_ROWS + 7
    picked = X[np.random.default_rng(0).integers(0, len(X), count)]
    rows, out = tmp_path / "rows.csv", tmp_path / "out.jsonl"
    body = "\n".join(f"{at},{','.join(map(str, row))}" for at, row in enumerate(picked.tolist()))
    rows.write_text(f"id,{HEADER}\n{body}\n")
    told: list[int] = []
    predict_file(model, rows, out, progress=told.append)
    said = lines(out)
    assert [row["id"] for row in said] == [str(at) for at in range(count)]
    assert [row["prediction"] for row in said] == model.predict(picked).values
    assert told == [BATCH_ROWS, 2 * BATCH_ROWS, count]


def test_sets_and_probabilities_come_when_they_are_asked_for(model: LoadedModel, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text(json.dumps(dict(zip(IRIS_NAMES, (5.1, 3.5, 1.4, 0.2), strict=True))))
    predict_file(model, rows, out, Wanted("says", probabilities=True, alpha=0.2))
    said = lines(out)[0]
    assert said["says"] == 0
    assert said["says_set"] == [0]
    assert sum(said[f"says_probability_{each}"] for each in (0, 1, 2)) == pytest.approx(1)


def test_a_model_without_a_calibration_refuses_intervals_and_leaves_no_file(
    colours: LoadedModel, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("x0,x1,x2\n0.5,red,1\n")
    with pytest.raises(NoIntervals):
        predict_file(colours, rows, tmp_path / "out.csv", Wanted(alpha=0.1))
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]


def test_a_category_that_training_never_saw_breaks_its_row(colours: LoadedModel, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.tsv", tmp_path / "out.csv"
    rows.write_text("x0\tx1\tx2\n0.5\tred\t1\n0.5\tpink\t1\n")
    predict_file(colours, rows, out)
    said = table(out)
    assert float(said[0]["prediction"]) == pytest.approx(2.5, abs=1e-3)
    assert "column 'x1' is 'pink'; wanted one of 'blue', 'green', 'red'" in said[1]["prediction_error"]


def test_text_that_is_no_utf8_comes_out_byte_for_byte(model: LoadedModel, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_bytes(f"note,{HEADER}\n".encode() + b"caf\xe9,5.1,3.5,1.4,0.2\n" + b"tea,5.1,3.5,1.4,0.2\n")
    found = predict_file(model, rows, out)
    assert found.broken == 1
    assert b"caf\xe9,5.1,3.5,1.4,0.2,,line 2: column 'note'" in out.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("rows.csv", "sepal_length,petal_width\n1,2\n", "columns 'sepal_width', 'petal_length', which the model takes"),
        ("rows.csv", "", "the file is empty|it is empty"),
        ("rows.csv", f"{HEADER}\n", "at least one row"),
        ("rows.csv", f"{HEADER},prediction\n1,2,3,4,5\n", "another name: the file has a column 'prediction' already"),
        ("rows.parquet", "PAR1 and nothing else", "a Parquet file"),
        ("rows.xlsx", "x", "a name that ends in .csv, .tsv, .jsonl, .ndjson, .parquet"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(
    model: LoadedModel, tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    rows, out = tmp_path / name, tmp_path / "out.csv"
    rows.write_text(content)
    with pytest.raises((FileBroken, InvalidInput), match=sentence):
        predict_file(model, rows, out)
    assert not out.exists()


def test_neither_a_missing_file_nor_the_file_itself_is_written(model: LoadedModel, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    with pytest.raises(NotFound):
        predict_file(model, rows, tmp_path / "out.csv")
    rows.write_text(f"{HEADER}\n5.1,3.5,1.4,0.2\n")
    with pytest.raises(InvalidInput, match="another file than the one that is read"):
        predict_file(model, rows, rows)
