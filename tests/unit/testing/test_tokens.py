"""Tokens are counted by one rule, and pieces of a text are the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.testing import tokens


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("   \n", 0),
        ("one", 1),
        ("What is a canary?", 5),
        ("don't…", 4),
        ("größer 寿司", 2),
        ("x" * 1_000_000, 1),
    ],
)
def test_a_word_is_one_token_and_so_is_each_other_character(text: str, count: int) -> None:
    assert tokens.count(text) == count


@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    pieces = tokens.pieces(text)
    assert "".join(pieces) == text
    assert sum(bool(piece.strip()) for piece in pieces) == tokens.count(text)


@given(st.text(), st.integers(1, 20))
def test_a_text_that_is_cut_has_as_many_tokens_as_it_may(text: str, limit: int) -> None:
    kept = tokens.cut(text, limit)
    assert text.startswith(kept)
    assert tokens.count(kept) == min(limit, tokens.count(text))
