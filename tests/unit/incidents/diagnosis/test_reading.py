"""Lines of a log, however it comes in pieces, and a line as a person reads it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.incidents.diagnosis.reading import LINE_BYTES, LINE_CHARS, blocks_of, clean, lines_of


@given(st.lists(st.text(alphabet="ab\r\n", max_size=8).map(str.encode), max_size=12))
def test_lines_are_those_of_splitlines_whatever_the_pieces(pieces: list[bytes]) -> None:
    assert [line for _, line in lines_of(pieces)] == b"".join(pieces).splitlines()


def test_a_line_of_many_pieces_is_cut_and_those_after_it_keep_their_numbers() -> None:
    pieces = [b"x" * 100_000] * 20 + [b"\nlast\n"]
    found = list(lines_of(pieces))
    assert [(number, len(line)) for number, line in found] == [(1, LINE_BYTES), (2, 4)]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"2026-01-02T03:04:05.1234567Z ##[error]no", "##[error]no"),
        (b"[2026-01-02T03:04:05.123Z] + make", "+ make"),
        (b"12:30:01 +0100 x", "+0100 x"),
        (b"\x1b[31mFAIL\x1b[0m a", "FAIL a"),
        (b"2026-01-02T03:04:05Z 00O    indented", "   indented"),
        (b"\xff\xfe broken", "ÿþ broken"),
        (b"[task 2026-01-02T03:04:05.123Z] TEST-START", "TEST-START"),
        (b"[31mFAIL[0m a", "FAIL a"),
        (b"rate(x[5m]) failed", "rate(x[5m]) failed"),
    ],
)
def test_colours_and_stamps_are_taken_off(raw: bytes, text: str) -> None:
    assert clean(raw) == text


def test_utf_16_is_read_as_what_it_says() -> None:
    found = list(lines_of(blocks_of(io.BytesIO("fatal: näh\r\nb".encode("utf-16")))))
    assert [(number, line.decode()) for number, line in found] == [(1, "fatal: näh"), (2, "b")]


@given(st.binary(max_size=3000))
def test_any_bytes_are_cleaned(raw: bytes) -> None:
    assert len(clean(raw)) <= LINE_CHARS
