"""`python -m opsloop.training`: a model and its figures without a platform, in a folder or an object store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from opsloop.models import runtime
from opsloop.training import __main__ as alone
from opsloop.training.outlet import outlet_of
from tests.object_store import BUCKET, s3_running

PROJECT = """
project: garden
datasets:
  flowers:
    source: flowers.csv
    expectations: [{expect: between, column: size, min: 0}]
pipelines:
  flowers:
    dataset: flowers
    target: kind
    task: classification
    steps: [scale, logistic_regression]
    cross_validation: {folds: 2}
"""


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    (tmp_path / "opsloop.yaml").write_text(PROJECT)
    lines = "".join(f"{number % 7 + 10 * (number % 2)},{'ab'[number % 2]}\n" for number in range(60))
    (tmp_path / "flowers.csv").write_text("size,kind\n" + lines)
    return tmp_path


def test_model_and_figures_are_written_under_their_time(garden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(garden / "opsloop.yaml"), "--to", str(garden / "out"), "--notice", str(garden / "notice.json")]
    assert alone.main([*arguments, "--bundle", str(garden / "bundle")]) == 0
    said = capsys.readouterr().out
    assert "pipeline: flowers\n" in said
    assert re.search(r"^accuracy +1$", said, re.MULTILINE)
    names = sorted(file.relative_to(garden / "out").as_posix() for file in (garden / "out").rglob("*.*"))
    assert [re.sub(r"\d{8}_\d{6}", "T", name) for name in names] == [
        "metrics/metrics-T.json",
        "metrics/metrics-T.txt",
        "models/model-T.onnx",
    ]
    text = json.loads((garden / "notice.json").read_text())["text"]
    assert text.startswith("\N{WHITE HEAVY CHECK MARK} *flowers*: training finished\naccuracy 1, ")

    model = runtime.load_folder(garden / "bundle")
    assert model.predict(np.array([[0.0], [14.0]])).values == ["a", "b"]
    assert {"model.onnx", "baseline.npy"} <= {file.name for file in (garden / "bundle").iterdir()}
    [expected] = json.loads((garden / "bundle" / "expectations.json").read_text())
    assert (expected["expect"], expected["column"]) == ("between", "size")


def test_a_file_of_one_pipeline_learns_from_the_rows_that_are_named(
    garden: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = garden / "flowers.yaml"
    file.write_text("target: kind\ntask: classification\nsteps: [decision_tree]\ncross_validation: {folds: 2}\n")
    arguments = [str(file), "--data", str(garden / "flowers.csv"), "--to", str(garden / "out"), "--json"]
    assert alone.main(arguments) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["pipeline"], made["data"], made["rows"]) == ("flowers", "flowers.csv", 60)
    assert Path(made["artifacts"]["model"]).is_file()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("obstore")
    with s3_running() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield f"s3://{BUCKET}/team"


def test_an_object_store_takes_them_too(garden: Path, bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert alone.main([str(garden / "opsloop.yaml"), "--to", bucket, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["artifacts"]["model"].startswith(f"{bucket}/models/model-2")
    key = made["artifacts"]["model"].removeprefix(f"{bucket}/")
    assert outlet_of(bucket).has(key)
    assert not outlet_of(bucket).has(key + "-2")


@pytest.mark.parametrize(
    ("change", "arguments", "code", "sentence"),
    [
        ("", [], 2, "--to or --bundle: wanted at least one"),
        ("", ["weeds", "--to", "out"], 3, "declares no pipeline 'weeds'; it has flowers"),
        ("", ["--data", "none.csv", "--to", "out"], 3, "none.csv is not there"),
        ("", ["--to", "ftp://x/y"], 2, "wanted a folder, or s3://BUCKET"),
        ("target: kind", ["--to", "out"], 2, "pipelines.flowers.target: wanted text; it is missing"),
        ("dataset: flowers", ["--to", "out"], 2, "has no file for dataset ''; name one with --data FILE"),
        ("pipelines:", ["--to", "out"], 2, "no YAML"),
    ],
)
def test_what_is_wrong_ends_with_its_code_and_a_sentence(
    garden: Path, change: str, arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = garden / "opsloop.yaml"
    file.write_text(PROJECT.replace(f"    {change}\n", "") if change != "pipelines:" else "a: [")
    assert alone.main([str(file), *arguments]) == code
    said = capsys.readouterr().err
    assert said.startswith("opsloop.training: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_a_bundle_is_not_written_over_something(garden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (garden / "bundle").mkdir()
    (garden / "bundle" / "mine.txt").write_text("mine")
    assert alone.main([str(garden / "opsloop.yaml"), "--bundle", str(garden / "bundle")]) == 2
    assert "wanted an empty or new folder, or --replace" in capsys.readouterr().err
    assert [file.name for file in (garden / "bundle").iterdir()] == ["mine.txt"]
