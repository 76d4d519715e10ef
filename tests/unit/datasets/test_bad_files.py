"""Bad files as they are registered, in a stream: each gives one sentence with file, line and column."""

from __future__ import annotations

import gzip
import io
import resource
import zipfile
from pathlib import Path

import pytest

from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.datasets.formats import registry
from opsloop.datasets.staging import staging, written

MANY = b"".join(b'{"a": %d, "b": "x"}\n' % number for number in range(60_000))
LONG_CSV = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(200_000))


def stage(folder: Path, filename: str, data: bytes) -> int:
    path = folder / "given"
    path.write_bytes(data)
    with staging(filename) as place:
        found = registry.staged(place, path)
        parquet = found.path or written(place, found.query)
        return int(place.duck.execute("SELECT count(*) FROM read_parquet(?)", [str(parquet)]).fetchone()[0])


def sentence(folder: Path, filename: str, data: bytes) -> str:
    with pytest.raises(OpsloopError) as caught:
        stage(folder, filename, data)
    said = caught.value.sentence
    assert "\n" not in said
    assert len(said) < 400
    return said


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("filename", "data", "expected"),
    [
        # Far into a file, where blocks are decoded by type.
        ("q.jsonl", MANY + b'{"a": 2,}\n', ["q.jsonl, line 60001", "column 9", "valid JSON"]),
        ("q.jsonl", MANY + b'{"a": "x", "b": "y"}\n', ["q.jsonl, line 60001, column 'a'", "'x'", "as in line 1"]),
        ("q.jsonl", MANY + b'{"a": 1, "b": "y", "a": 2}\n', ["q.jsonl, line 60001", "each key once", "'a'"]),
        ("q.jsonl", MANY + b'{"a": 1, "b": {"c": 1, "c": 2}}\n', ["q.jsonl, line 60001", "each key once", "'c'"]),
        ("q.jsonl", MANY + b'{"a": NaN}\n', ["q.jsonl, line 60001", "NaN"]),
        ("q.jsonl", MANY + b'{"a": Infinity}\n', ["q.jsonl, line 60001", "Infinity"]),
        ("q.jsonl", MANY + b'{"a": 1e999}\n', ["q.jsonl, line 60001, column 'a'", "finite number"]),
        ("q.jsonl", MANY + b'{"b": "\\ud800"}\n', ["q.jsonl, line 60001", "lone surrogate"]),
        ("q.jsonl", MANY + b'{"b": "Jos\xe9"}\n', ["q.jsonl, line 60001, column 11", "UTF-8"]),
        ("q.jsonl", MANY + b'{"b": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", ["q.jsonl, line 60001", "nested"]),
        ("q.jsonl", MANY + b"\0\n", ["q.jsonl, line 60001", "zero byte"]),
        ("q.jsonl", MANY + b'"text"\n', ["q.jsonl, line 60001", "a JSON object on every line"]),
        ("q.csv", LONG_CSV + b"1,2,3\n", ["q.csv, line 200002", "3 cells", "2 cells, as the header has"]),
        ("q.csv", LONG_CSV + b"1\n", ["q.csv, line 200002", "1 cells"]),
        ("q.csv", LONG_CSV + b'1,"x\n', ["q.csv, line 200002", "a closing quote"]),
        ("q.csv", LONG_CSV + b'1,"x"y\n', ["q.csv, line 200002", "well-formed record"]),
        ("q.csv", LONG_CSV + b"1,Jos\xe9\n", ["q.csv, line 200002, column 6", "UTF-8"]),
        ("q.csv", LONG_CSV + b"1,\0\n", ["q.csv, line 200002", "zero byte"]),
        # At the start.
        ("q.csv", b"a,b,a\n1,2,3\n", ["q.csv, line 1", "'a' is there twice"]),
        ("q.csv", b"a,A\n1,2\n", ["q.csv", "more than case"]),
        ("q.csv", b"a,,c\n1,2,3\n", ["q.csv, line 1", "column 2", "a name for every column"]),
        ("q.csv", b"a,_opsloop_missing\n1,2\n", ["q.csv", "_opsloop"]),
        ("q.csv", b"a,b\n", ["q.csv", "at least one row below the header"]),
        ("q.csv", b"", ["q.csv", "it is empty"]),
        ("q.csv", b"\n \n", ["q.csv", "it is empty"]),
        ("q.csv", b"\xef\xbb\xbf", ["q.csv", "it is empty"]),
        ("q.csv", "a,b\n1,2\n".encode("utf-16"), ["q.csv", "UTF-16, save it as UTF-8"]),
        ("q.csv", "a,b\n1,2\n".encode("utf-16-le"), ["q.csv, line 1", "zero byte"]),
        ("q.csv", zipped(b"a\n" * 10), ["q.csv", "a zip archive, unpack it"]),
        ("q.csv", zipped(b"0" * 50_000_000), ["q.csv", "a zip archive, unpack it"]),
        ("q.jsonl", gzip.compress(b"0" * 50_000_000), ["q.jsonl", "a gzip archive, unpack it"]),
        ("q.jsonl", b'{"_opsloop_missing": "[]"}\n', ["q.jsonl", "_opsloop"]),
        ("q.jsonl", b'{"a": "\\ud800"}\n', ["q.jsonl, line 1", "lone surrogate"]),
        ("q.json", b'[{"a": "\\ud800"}]', ["q.json, row 1", "lone surrogate"]),
        ("q.json", b'[{"a": 1},\n {"a": "x"}]', ["q.json, row 2, column 'a'", "a number, as in row 1"]),
        ("q.json", b"[" * 100_000, ["q.json", "nested"]),
        ("q.parquet", b"PAR1 is how it begins", ["q.parquet", "a Parquet file"]),
        ("q.parquet", b"", ["q.parquet", "it is empty"]),
    ],
)  # fmt: skip
def test_a_bad_file_gives_a_sentence_that_says_where(
    tmp_path: Path, filename: str, data: bytes, expected: list[str]
) -> None:
    said = sentence(tmp_path, filename, data)
    assert all(part in said for part in expected), said


@pytest.mark.parametrize("filename", ["rows.csv.gz", "rows.zip", "rows.xlsx", "rows"])
def test_a_packed_or_unknown_file_names_the_known_endings(tmp_path: Path, filename: str) -> None:
    with pytest.raises(InvalidInput, match=r"\.csv, \.json, \.jsonl, \.ndjson, \.parquet, \.tsv"):
        stage(tmp_path, filename, b"x")


def test_a_cell_of_ten_million_characters_is_read(tmp_path: Path) -> None:
    long = b"x" * 10_000_000
    assert stage(tmp_path, "a.csv", b'a,b\n1,"' + long + b'\n,"\n2,y\n') == 2
    assert stage(tmp_path, "a.csv", b"a,b\n1," + long + b"\n2,y\n") == 2
    assert stage(tmp_path, "a.jsonl", b'{"a": "' + long + b'"}\n{"a": "y"}\n') == 2


def test_a_line_over_the_limit_is_refused_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsloop.datasets.text.LINE_LIMIT_BYTES", 2_000_000)
    said = sentence(tmp_path, "a.jsonl", b'{"a": 1}\n{"a": "' + b"x" * 4_000_000 + b'"}\n')
    assert "a line (line 2) of over 2,000,000 bytes" in said


def test_a_csv_of_two_hundred_columns_is_read_and_one_of_too_many_is_refused(tmp_path: Path) -> None:
    def wide(columns: int) -> bytes:
        names = ",".join(f"c{number}" for number in range(columns))
        return f"{names}\n{','.join('1' * columns)}\n".encode()

    assert stage(tmp_path, "wide.csv", wide(200)) == 1
    assert "wide.csv holds over 2000 columns" in sentence(tmp_path, "wide.csv", wide(2_001))


def test_a_small_parquet_of_very_many_cells_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "bomb.parquet"
    duckdb.execute(f"COPY (SELECT 0 AS a FROM range(600_000_000)) TO '{path}' (FORMAT parquet)")
    assert path.stat().st_size < 2_000_000
    said = sentence(tmp_path, "bomb.parquet", path.read_bytes())
    assert "600,000,000 rows of 1 columns; the limit is 500,000,000 cells" in said


def test_a_small_parquet_of_very_long_text_is_not_unpacked_into_memory(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "bomb.parquet"
    long = "SELECT repeat('x', 1_000_000) AS a FROM range(3_000)"
    duckdb.execute(f"COPY ({long}) TO '{path}' (FORMAT parquet, COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 0)")
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = sentence(tmp_path, "bomb.parquet", path.read_bytes())
    assert "rows too long for the 500,000,000 bytes of memory" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 1_500_000
