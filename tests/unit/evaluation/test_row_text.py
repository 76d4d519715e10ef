"""Rows as readers see them: their texts, the words that changed, nothing that could steer a reader."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsloop.evaluation.inert_text import inert
from opsloop.evaluation.row_text import row_text
from opsloop.evaluation.spread import histogram, quantiles
from opsloop.evaluation.word_diff import sides
from tests.unit.evaluation.made import row


def test_a_row_says_what_was_asked_answered_and_expected() -> None:
    text = row_text(row(3, answer="no"))
    assert (text.asked, text.answered, text.expected) == ("q3", "no", "yes")


def test_a_failed_row_says_why_and_a_long_text_how_long_it_was() -> None:
    assert row_text(row(0, error="boom")).answered == "boom"
    assert row_text(row(0, answer="a" * 5_000)).answered == "a" * 2_000 + "… (5,000 characters)"


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_pieces_of_a_side_are_its_text(before: str, after: str) -> None:
    found = sides(before, after)
    assert "".join(piece.text for piece in found.before) == before
    assert "".join(piece.text for piece in found.after) == after


def test_changed_words_are_marked_and_the_others_are_not() -> None:
    found = sides("you have 30 days", "you have 20 days")
    assert [piece.text for piece in found.before if piece.is_changed] == ["30"]
    assert [piece.text for piece in found.after if piece.is_changed] == ["20"]


def test_control_characters_and_marks_that_turn_the_reading_direction_are_inert() -> None:
    assert inert("a\x00b\x1b[31mc\r\nd\ud800") == "a�b�[31mc\nd�"
    assert inert("pay \u202eyadot\u202c") == "pay [U+202E]yadot[U+202C]"
    assert inert("שלום, مرحبا, 日本, 👍🏽") == "שלום, مرحبا, 日本, 👍🏽"


def test_quantiles_are_nearest_ranks() -> None:
    found = quantiles(float(value) for value in range(1, 101))
    assert found is not None
    assert (found.p50, found.p90, found.p95, found.p99, found.most, found.total) == (50, 90, 95, 99, 100, 5050)
    assert quantiles([]) is None


def test_every_value_is_in_one_bin() -> None:
    assert histogram([0.0, 0.04, 0.5, 1.0], 0.0, 1.0).counts == (2, *[0] * 9, 1, *[0] * 8, 1)
    assert sum(histogram([3.0, 3.0], 3.0, 3.0).counts) == 2
