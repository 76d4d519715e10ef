from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.rag.answering.generating.reading import Quote
from opsloop.rag.answering.generating.verifying import places
from tests.unit.rag.passages import passage

TEXT = "Leave is \u201cpaid in full\u201d.\n\nIt\u2019s 25\u00a0 days — for every\n employee; the ofﬁce has a garden."


@pytest.mark.parametrize(
    ("quote", "stored"),
    [
        ("paid in full", "paid in full"),
        ('Leave is "paid in full"', "Leave is \u201cpaid in full\u201d"),
        ("it's 25 days - for every employee", "It\u2019s 25\u00a0 days — for every\n employee"),
        ("the office has", "the ofﬁce has"),
        ('"a garden."', "a garden."),
    ],
)
def test_the_stored_text_is_given_out_for_a_quote_in_another_writing(quote: str, stored: str) -> None:
    [found] = places(Quote(1, quote), [passage(TEXT, start=40)])
    assert found.quote == stored
    assert (" " * 40 + TEXT)[found.start : found.end] == stored


@pytest.mark.parametrize("quote", ["", "  ", "26 days", "aid in full", "the", "…", "garden" * 200])
def test_what_does_not_stand_there_or_says_nothing_is_not_found(quote: str) -> None:
    assert places(Quote(1, quote), [passage(TEXT)]) == []


def test_a_quote_with_words_left_out_is_two_places() -> None:
    found = places(Quote(1, "25 days … every employee"), [passage(TEXT)])
    assert [each.quote for each in found] == ["25\u00a0 days", "every\n employee"]


def test_a_quote_of_which_a_part_is_made_up_is_not_found() -> None:
    assert places(Quote(1, "25 days … every contractor"), [passage(TEXT)]) == []


@pytest.mark.parametrize("number", [-3, 0, 1, 7])
def test_a_quote_under_a_wrong_number_is_found_where_it_stands(number: int) -> None:
    other = passage("Every laptop is encrypted.", document="doc_2")
    [found] = places(Quote(number, "laptop is encrypted"), [passage(TEXT), other])
    assert found.passage is other


@given(st.text(max_size=200), st.text(max_size=60), st.integers(-2, 4))
def test_whatever_is_found_is_a_span_of_the_passage(text: str, quote: str, number: int) -> None:
    for found in places(Quote(number, quote), [passage(text, start=5)]):
        assert found.quote == ("12345" + text)[found.start : found.end] != ""
