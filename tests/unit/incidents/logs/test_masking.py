from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.incidents.logs.fingerprint import fingerprint
from opsloop.incidents.logs.masking import masked


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nothing varies here", "nothing varies here"),
        ("took 5.3ms", "took <*>"),
        ("at /home/ada/src/main.py:12 in main", "at <*> in main"),
        (r"open C:\build\out.log", "open <*>"),
        ("peer 10.0.0.1:8080 left", "peer <*> left"),
        ("id 550e8400-e29b-41d4-a716-446655440000.", "id <*>."),
        ("mac de:ad:be:ef:00:01", "mac <*>"),
        ("commit deadbeef12", "commit <*>"),
        ("a word like deadbeef stays", "a word like deadbeef stays"),
        ("2026-01-02 03:04:05,678 INFO", "<*> <*> INFO"),
        ("get https://example.com/a?b=c now", "get <*> now"),
        ("blk_-1608999 at 0x7fff", "blk_<*> at <*>"),
    ],
)
def test_what_varies_is_masked(text: str, wanted: str) -> None:
    assert masked(text) == wanted


def test_a_fingerprint_is_that_of_what_a_line_says() -> None:
    assert fingerprint("worker 12 took 3 s") == fingerprint("worker 7  took 81 s")
    assert fingerprint("worker 12 took 3 s") != fingerprint("worker 12 lost 3 s")
    assert fingerprint("") == "e4a6a0577479b2b4"


@given(st.text(alphabet="0123456789abcdefx-:/.\\ \x1b[<*>é", max_size=300))
def test_masking_never_fails_and_leaves_no_digit(text: str) -> None:
    assert not any(each in "0123456789" for each in masked(text))


@pytest.mark.parametrize(
    "part", ["a", "/", "/a", "1", "1.", "0x", "a:", "-", "http://", "a1-", "1:", "C:\\", "~/", "f"]
)
def test_hostile_text_is_masked_without_going_back(part: str) -> None:
    """A pattern that goes back would need hours for this one megabyte."""
    for _ in range(250):
        assert len(masked((part * 4096)[:4096])) <= 4096 * len("<*>")
