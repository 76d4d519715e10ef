"""Files that `opsloop serve` refuses to start with: a sentence names the file, what it is, and what was wanted."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opsloop.core import exit_codes
from opsloop.core.errors import Kind
from opsloop.models import bundle as bundles
from tests.acceptance.in_process import run
from tests.unit.models import made

COLUMNS = "sepal_length, sepal_width, petal_length, petal_width"
HEAD = b"\x93NUMPY\x01\x00"


class Evil:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundles.write(made.iris_candidate(), tmp_path / "iris")
    return tmp_path / "iris"


def refused(*words: str | Path) -> str:
    said = run("serve", *(str(word) for word in words))
    assert said.code == exit_codes.USAGE, said.err
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    return said.err


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.onnx", "model.skops", "model.npy"])
def test_no_pickle_is_ever_loaded_whatever_it_is_called(folder: Path, tmp_path: Path, name: str, protocol: int) -> None:
    mark, file = tmp_path / "mark", tmp_path / "evil" / name
    file.parent.mkdir()
    file.write_bytes(pickle.dumps(Evil(mark), protocol))
    assert str(file) in refused("--model", file)
    assert str(file) in refused("--model", folder, "--baseline", file)
    np.save(file.with_suffix(".npy"), np.array([Evil(mark)], dtype=object), allow_pickle=True)
    assert "holds Python objects, which are not loaded" in refused(
        "--model", folder, "--baseline", file.with_suffix(".npy")
    )
    assert not mark.exists()


def test_a_cut_off_model_is_told_from_one_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "model.onnx").read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.onnx").write_bytes(whole[:size])
        assert f"{tmp_path / 'cut.onnx'}: cut off, or no ONNX file; wanted" in refused("--model", tmp_path / "cut.onnx")
    said = run("serve", "--model", str(tmp_path / "gone.onnx"))
    assert said.code == exit_codes.CODES[Kind.MISSING]
    assert f"no file or folder {tmp_path / 'gone.onnx'}" in said.err
    (tmp_path / "notes.txt").write_text("a model")
    assert "is neither an .onnx file nor a folder" in refused("--model", tmp_path / "notes.txt")
    assert "has no manifest.json; wanted a folder of `opsloop model export`" in refused("--model", tmp_path)


def test_a_model_without_a_certificate_is_not_served(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "parity": None}))
    said = run("serve", "--model", str(folder))
    assert said.code != 0
    assert "has no certificate that its ONNX form agrees with what was trained" in said.err


@pytest.mark.parametrize("name", ["model.onnx", "baseline.npy"])
def test_a_file_of_a_bundle_that_was_changed_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    assert f"{name} of the model cannot be used: its bytes are not those the manifest names" in refused(
        "--model", folder
    )


ROWS: Any = np.arange(400.0).reshape(100, 4)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS[:, :3], f"has 3 columns; wanted the model's 4: {COLUMNS}"),
        (np.hstack([ROWS, ROWS]), f"has 8 columns; wanted the model's 4: {COLUMNS}"),
        (ROWS[:2], "has 2 rows; wanted at least 30"),
        (ROWS[:0], "has shape (0, 4); wanted rows of numbers"),
        (ROWS[:, 0], "has shape (100,); wanted rows of numbers"),
        (ROWS.astype("U8"), "holds values of <U8; wanted rows of numbers"),
        (ROWS.astype(complex), "holds values of complex128; wanted rows of numbers"),
        (np.where(ROWS == 6, np.inf, ROWS), "row 1, column 2 is inf; wanted rows of numbers"),
    ],
)
def test_reference_rows_that_are_not_the_models_are_refused(
    folder: Path, tmp_path: Path, rows: Any, words: str
) -> None:
    np.save(tmp_path / "rows.npy", rows)
    said = refused("--model", folder, "--baseline", tmp_path / "rows.npy")
    assert f"{tmp_path / 'rows.npy'}: {words}" in said


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no .npy file"),
        (b"1,2,3,4\n", "is no .npy file"),
        (HEAD, "holds less than its head says"),
        (
            HEAD + b"v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 4), }".ljust(119) + b"\n",
            "less",
        ),
    ],
)
def test_what_is_no_file_of_rows_is_refused(folder: Path, tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "rows.npy").write_bytes(data)
    assert words in refused("--model", folder, "--baseline", tmp_path / "rows.npy")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not valid JSON"),
        ("{", "is not valid JSON"),
        ("a,b\n1,2\n", "is not valid JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ("5", "expectations: is 5; wanted a list of expectations"),
        ('[{"expect": "betwen", "column": "petal_width"}]', "is 'betwen'; wanted one of between"),
        ('[{"expect": "between", "column": "petal_width"}]', "expectations[0]"),
        ('[{"expect": "between", "column": "petal_width", "max": [3]}]', "expectations[0].max: is [3]; wanted"),
    ],
)
def test_expectations_that_cannot_be_read_are_refused(folder: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "rules.json").write_text(text)
    said = refused("--model", folder, "--expectations", tmp_path / "rules.json")
    assert str(tmp_path / "rules.json") in said
    assert words in said
