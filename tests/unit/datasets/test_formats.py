"""Files in, rows out; and a sentence with file, line and column for every file that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.datasets.columns import columns_of
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.formats import registry
from opsloop.datasets.models import Column, ColumnType


def rows(filename: str, data: bytes) -> list[dict[str, Any]]:
    return registry.read(filename, data).rows


def types(filename: str, data: bytes) -> list[ColumnType]:
    return [column.type for column in columns_of(registry.read(filename, data))]


def sentence(filename: str, data: bytes) -> str:
    with pytest.raises(FileBroken) as caught:
        columns_of(registry.read(filename, data))
    return caught.value.sentence


def test_json_lines_come_as_they_are_written() -> None:
    data = b'{"q": "Why?", "n": 1, "tags": ["a", {"b": null}], "ok": true}\n\n{"q": null, "n": 2}\n'
    assert rows("a.jsonl", data) == [
        {"q": "Why?", "n": 1, "tags": ["a", {"b": None}], "ok": True},
        {"q": None, "n": 2},
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert rows("a.csv", b"\xef\xbb\xbfid,name\n1,Ada\n") == [{"id": 1, "name": "Ada"}]
    assert rows("a.jsonl", b'\xef\xbb\xbf{"id": 1}') == [{"id": 1}]


def test_windows_line_ends_and_line_separators_inside_text_are_read() -> None:
    assert rows("a.jsonl", '{"a": "x\u2028y"}\r\n{"a": "z"}\r\n'.encode()) == [{"a": "x\u2028y"}, {"a": "z"}]
    assert rows("a.csv", b'a,b\r\n1,"two\r\nlines"\r\n') == [{"a": 1, "b": "two\r\nlines"}]


def test_cells_get_the_narrowest_type_that_fits_the_whole_column() -> None:
    data = b"id,code,price,open,note\n1,007,1,true,\n2,010,2.5,FALSE,x\n"
    assert rows("a.csv", data) == [
        {"id": 1, "code": "007", "price": 1.0, "open": True, "note": None},
        {"id": 2, "code": "010", "price": 2.5, "open": False, "note": "x"},
    ]


def test_tabs_separate_the_cells_of_a_tsv() -> None:
    assert rows("a.tsv", b"a\tb\n1\tx, y\n") == [{"a": 1, "b": "x, y"}]


def test_a_csv_of_200_columns_is_read() -> None:
    header = ",".join(f"c{number}" for number in range(200))
    cells = ",".join(map(str, range(200)))
    found = rows("wide.csv", f"{header}\n{cells}\n".encode())
    assert found[0]["c199"] == 199
    assert len(found[0]) == 200


@pytest.mark.parametrize(
    ("values", "type"),
    [
        ("[1, 2]", ColumnType.INTEGER),
        ("[1, 2.5]", ColumnType.NUMBER),
        ("[true, null]", ColumnType.BOOLEAN),
        ("[[1], {}]", ColumnType.JSON),
        ("[null, null]", ColumnType.EMPTY),
        ("[9223372036854775808, 1]", ColumnType.JSON),
        ("[9007199254740993, 0.5]", ColumnType.JSON),
    ],
)
def test_the_type_of_a_column_loses_no_value(values: str, type: ColumnType) -> None:
    first, second = _two(values)
    assert types("a.jsonl", f'{{"v": {first}}}\n{{"v": {second}}}'.encode()) == [type]


def _two(values: str) -> Sequence[str]:
    inner = values[1:-1]
    return ("[1]", "{}") if inner == "[1], {}" else tuple(part.strip() for part in inner.split(","))


@pytest.mark.parametrize(
    ("filename", "data", "expected"),
    [
        ("q.jsonl", b'{"a": 1}\n{"a": 2,}\n', ["q.jsonl, line 2", "column 9", "valid JSON"]),
        ("q.jsonl", b'{"a": 1}\n[1]\n', ["q.jsonl, line 2", "[1]", "a JSON object on every line"]),
        ("q.jsonl", b'{"a": 1, "a": 2}\n', ["q.jsonl, line 1", "each key once", "'a'"]),
        ("q.jsonl", b'{"a": NaN}\n', ["q.jsonl, line 1", "NaN"]),
        ("q.jsonl", b'{"a": 1e999}\n', ["q.jsonl, line 1, column 'a'", "inf", "finite number"]),
        ("q.jsonl", b'{"a": 1}\n\n{"a": "x"}\n', ["q.jsonl, line 3, column 'a'", "'x'", "a number, as in line 1"]),
        ("q.jsonl", b'{"a": true}\n{"a": 1}\n', ["q.jsonl, line 2, column 'a'", "true or false, as in line 1"]),
        ("q.jsonl", b'{"a": "x"}\n{"a": ["x"]}\n', ["q.jsonl, line 2, column 'a'", "text, as in line 1"]),
        ("q.jsonl", b'{"a": ' + b"[" * 100_000 + b"\n", ["q.jsonl, line 1", "nested"]),
        ("q.jsonl", b'{"a": ' + b"9" * 5_000 + b"}\n", ["q.jsonl, line 1", "digits"]),
        ("q.jsonl", b'{"A": 1, "a": 2}\n', ["q.jsonl", "'a'", "more than case"]),
        ("q.jsonl", b'{"": 1}\n', ["q.jsonl", "column names"]),
        ("q.jsonl", b"{}\n", ["q.jsonl", "at least one column"]),
        ("q.json", b'[{"a": 1},\n {"a": }]', ["q.json, line 2", "column 8", "valid JSON"]),
        ("q.json", b'{"a": 1}\n{"a": 2}\n', ["q.json, line 2", "one object a line is .jsonl"]),
        ("q.json", b"[]", ["q.json", "at least one object"]),
        ("q.json", b"[1]", ["q.json, row 1", "a JSON object"]),
        ("q.csv", b"a,b\n1,2\n3\n", ["q.csv, line 3", "1 cells", "2 cells, as the header has"]),
        ("q.csv", b'a,b\n1,"2\n3,4\n', ["q.csv, line 2", "closing quote"]),
        ("q.csv", b'a,b\n"x\ny",1\n1,2,3\n', ["q.csv, line 4", "3 cells"]),
        ("q.csv", b"a,a\n1,2\n", ["q.csv, line 1", "'a' is there twice"]),
        ("q.csv", b"a,\n1,2\n", ["q.csv, line 1", "column 2", "a name for every column"]),
        ("q.csv", b"a,b\n", ["q.csv", "at least one row below the header"]),
        ("q.csv", b" \n", ["q.csv", "it is empty"]),
        ("q.csv", b"", ["q.csv", "it is empty"]),
        ("q.csv", b"name\nJos\xe9\n", ["q.csv, line 2", "column 4", "UTF-8"]),
        ("q.csv", b"\xef\xbb\xbfname\nJos\xe9\n", ["q.csv, line 2", "column 4", "UTF-8"]),
        ("q.csv", b"a\n\0\n", ["q.csv, line 2", "binary"]),
        ("q.csv", "a\n1\n".encode("utf-16"), ["q.csv", "UTF-16"]),
        ("q.csv", b"PK\x03\x04...", ["q.csv", "zip archive"]),
        ("q.parquet", b"not parquet at all", ["q.parquet", "a Parquet file"]),
        ("q.parquet", b"", ["q.parquet", "it is empty"]),
    ],
)
def test_a_bad_file_gives_a_sentence_that_says_where(filename: str, data: bytes, expected: list[str]) -> None:
    said = sentence(filename, data)
    assert all(part in said for part in expected), said
    assert "\n" not in said
    assert len(said) < 400


def test_an_unknown_ending_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"\.csv, \.json, \.jsonl"):
        registry.read("data.xlsx", b"x")


def test_parquet_of_other_tools_is_read(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "made.parquet"
    duckdb.execute(
        "COPY (SELECT 7::TINYINT AS i, 1.25::DECIMAL(9,2) AS d, DATE '2027-01-02' AS day, {'x': [1, 2]} AS s, "
        f"'text' AS t, true AS b, NULL::INTEGER AS n) TO '{path}' (FORMAT parquet)"
    )
    data = path.read_bytes()
    assert rows("made.parquet", data) == [
        {"i": 7, "d": 1.25, "day": "2027-01-02", "s": {"x": [1, 2]}, "t": "text", "b": True, "n": None}
    ]
    assert columns_of(registry.read("made.parquet", data))[3] == Column("s", ColumnType.JSON)


def test_a_parquet_column_that_json_cannot_hold_is_refused_by_name(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "made.parquet"
    duckdb.execute(f"COPY (SELECT 'x'::BLOB AS picture) TO '{path}' (FORMAT parquet)")
    assert "'picture'" in sentence("made.parquet", path.read_bytes())


def test_a_small_parquet_that_unpacks_to_very_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "bomb.parquet"
    duckdb.execute(f"COPY (SELECT 0 AS a FROM range(60_000_000)) TO '{path}' (FORMAT parquet)")
    with pytest.raises(Exception, match="60,000,000 rows"):
        registry.read("bomb.parquet", path.read_bytes())
