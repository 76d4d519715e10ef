from __future__ import annotations

import codecs
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.incidents.logs.lines import CUT_MARK, lines_of, read_lines


@given(st.binary(max_size=400), st.integers(1, 7))
def test_lines_are_counted_as_bytes_are_split_whatever_the_chunks(data: bytes, size: int) -> None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)):
        data = b"x" + data
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    lines = list(read_lines(chunks))
    assert [line.number for line in lines] == list(range(1, len(data.splitlines()) + 1))


@given(st.text(max_size=300))
def test_every_text_is_read(text: str) -> None:
    for encoding in ("utf-8", "utf-16", "latin-1"):
        lines_of(text.encode(encoding, "replace"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_log_in_utf16_is_known_by_its_mark(encoding: str) -> None:
    mark = codecs.BOM_UTF16_LE if encoding.endswith("le") else codecs.BOM_UTF16_BE
    data = mark + "erste Zeile ä\r\nzweite".encode(encoding)
    lines = read_lines(data[at : at + 3] for at in range(0, len(data), 3))
    assert [line.text for line in lines] == ["erste Zeile ä", "zweite"]


def test_encodings_may_be_mixed() -> None:
    assert [line.text for line in lines_of("grün\n".encode() + "grün".encode("latin-1"))] == ["grün", "grün"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("\x1b[31;1merror\x1b[0m: no such file", "error: no such file"),
        ("2026-01-02T03:04:05.1234567Z ##[error]Process completed", "##[error]Process completed"),
        ("2026-01-02T03:04:05.123456Z 01O+tail", "tail"),
        ("2026-01-02T03:04:05.123456Z 01O npm ERR!", "npm ERR!"),
        ("2026-01-02T03:04:05.123456Z 01O    at main", "   at main"),
        ("[task 2026-01-02T03:04:05.123Z] 12:00:01     INFO - ok", "12:00:01     INFO - ok"),
        ("[31merror[0m: no such file", "error: no such file"),
        ("sum(rate(requests[5m])) is 0", "sum(rate(requests[5m])) is 0"),
        ("[2026-01-02T03:04:05.123Z] + make", "+ make"),
        ("03:04:05  > Task :test FAILED", "> Task :test FAILED"),
        ("#12 3.456 E: Unable to locate package", "E: Unable to locate package"),
        ("section_start:1560896352:build[collapsed=true]\x1b[0KBuild", "Build"),
        ("\x1b]0;a title\x07built", "built"),
    ],
)
def test_what_terminals_and_runners_add_is_taken_off(raw: str, text: str) -> None:
    assert lines_of(raw)[0].text == text


def test_a_timestamp_in_front_is_the_time_of_the_line() -> None:
    line = lines_of("2026-01-02T03:04:05.5+02:00 started")[0]
    assert line.at == datetime(2026, 1, 2, 1, 4, 5, 500000, UTC)
    assert line.text == "started"


def test_job_and_step_are_told_when_each_line_names_them() -> None:
    line = lines_of("build\tRun tests\t2026-01-02T03:04:05.1Z FAILED")[0]
    assert (line.step, line.text) == ("build / Run tests", "FAILED")


def test_an_impossible_timestamp_is_no_time() -> None:
    assert lines_of("2026-13-42T99:04:05Z started")[0].at is None


def test_a_line_of_megabytes_is_cut_and_the_next_keeps_its_number() -> None:
    first, second = read_lines([b"a" * 3_000_000, b"b" * 3_000_000 + b"\nnext"])
    assert len(first.text) < 70_000
    assert first.text.endswith(CUT_MARK)
    assert (second.number, second.text) == (2, "next")


def test_a_progress_bar_is_many_lines_as_bytes_have_it() -> None:
    assert [line.text for line in lines_of("10%\r20%\r\ndone")] == ["10%", "20%", "done"]
