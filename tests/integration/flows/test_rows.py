"""Rows for a batch from files in every format, and what is wrong with some."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.datasets.errors import FileBroken
from opsloop.flows.rows import RowsMissing, read


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.jsonl", '{"n": 1}\n\n{"n": null, "m": [1]}\n', [{"n": 1}, {"n": None, "m": [1]}]),
        ("a.ndjson", '{"n": 1}', [{"n": 1}]),
        ("a.json", '[{"n": 1}, {"n": "é"}]', [{"n": 1}, {"n": "é"}]),
        ("a.csv", 'n,t\n007,"a,\nb"\n1.50,\n', [{"n": "007", "t": "a,\nb"}, {"n": "1.50", "t": ""}]),
        ("a.tsv", "n\tt\ntrue\tNone\n", [{"n": "true", "t": "None"}]),
        ("a.CSV", "\ufeffn\n1\n", [{"n": "1"}]),
    ],
)
def test_rows_are_read_by_the_ending_of_the_name(
    tmp_path: Path, name: str, content: str, rows: list[dict[str, Any]]
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    assert read(tmp_path / name) == rows


def test_rows_of_parquet_keep_their_types(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "rows.parquet"
    duckdb.sql(f"COPY (SELECT 1 AS n, 'a' AS t, [1.5] AS l UNION ALL SELECT 2, NULL, []) TO '{file}'")
    assert read(file) == [{"n": 1, "t": "a", "l": [1.5]}, {"n": 2, "t": None, "l": []}]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", b'{"n": 1}\n{"n": NaN}\n', "a.jsonl, line 2: wanted JSON numbers; NaN is none"),
        ("a.jsonl", b'{"n": 1, "n": 2}\n', "each key once in an object; 'n' is there twice"),
        ("a.jsonl", b"", "at least one row; it is empty"),
        ("a.jsonl", b'{"n": "\xe9"}', "line 1, column 8: is .*; wanted UTF-8 text"),
        ("a.json", b'{"n": 1}', "an array with at least one object"),
        ("a.json", b'[{"n": 1}, 2]', "row 2: is 2; wanted a JSON object"),
        ("a.csv", b"n,n\n1,2\n", "column names that differ; 'n' is there twice"),
        ("a.csv", b"n,m\n1\n", "line 2: is '1 cells'; wanted 2 cells"),
        ("a.csv", b"n\n", "at least one row below the header"),
        ("a.parquet", b"no parquet", "a Parquet file"),
    ],
)
def test_rows_that_cannot_be_read_are_told_with_file_and_place(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("duckdb")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileBroken, match=sentence):
        read(tmp_path / name)


def test_a_row_of_ten_megabytes_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "x" * 10_000_000}))
    (tmp_path / "a.csv").write_text('text\n"' + "x" * 10_000_000 + '"\n')
    assert len(read(tmp_path / "a.jsonl")[0]["text"]) == len(read(tmp_path / "a.csv")[0]["text"]) == 10_000_000


def test_a_folder_and_an_unknown_ending_are_refused_with_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(InvalidInput, match=r"is a folder; wanted a file of rows .*\.jsonl"):
        read(tmp_path)
    with pytest.raises(InvalidInput, match="a name that ends in"):
        read(tmp_path / "a.xlsx")


def test_rows_that_are_nowhere_are_told(tmp_path: Path) -> None:
    with pytest.raises(RowsMissing, match=r"no rows at golden@3: there is no such file, and no project here"):
        read("golden@3")


def test_an_image_beside_the_rows_comes_with_them_and_one_elsewhere_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "secret.png").write_bytes(b"\x89PNG")
    rows = [{"image": {"data:image/png;path": name}} for name in ("cat.png", "../secret.png", "none.png")]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert read(folder / "a.jsonl") == [
        {"image": {"data:image/png;base64": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()}},
        *rows[1:],
    ]
