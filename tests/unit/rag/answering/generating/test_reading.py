from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.rag.answering.generating.reading import MOST_CHARS, MOST_CLAIMS, Claim, Quote, Reader

ONE = {"sentence": 'Leave is {paid} "so".', "quotes": [{"passage": 1, "quote": "is paid}"}]}
READ = Claim('Leave is {paid} "so".', (Quote(1, "is paid}"),))


def claims(*pieces: str) -> list[Claim]:
    reader = Reader()
    return [claim for piece in pieces for claim in reader.feed(piece)]


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(ONE),
        f"Sure!\n```json\n{json.dumps(ONE)}\n```",
        json.dumps([ONE], indent=2),
        json.dumps({"answer": [ONE]}),
        f'{{"broken": }}\n{json.dumps(ONE)}\n{{"sentence": "and half',
    ],
)
def test_a_claim_is_read_wherever_it_stands(written: str) -> None:
    assert claims(written) == claims(*written) == [READ]


def test_a_claim_is_given_out_as_soon_as_it_is_whole() -> None:
    reader = Reader()
    assert list(reader.feed(json.dumps(ONE)[:-1])) == []
    assert list(reader.feed("}")) == [READ]


@pytest.mark.parametrize("quotes", [None, 3, "x", [], [1], [{"passage": 1}], [{"quote": 5}], {"quote": "x"}])
def test_quotes_of_another_form_are_none(quotes: Any) -> None:
    assert claims(json.dumps({"sentence": "So.", "quotes": quotes})) == [Claim("So.", ())]


@pytest.mark.parametrize("number", [True, 1.5, "1", None, [1]])
def test_a_number_of_another_form_is_none(number: Any) -> None:
    assert claims(json.dumps({"sentence": "So.", "quotes": [{"passage": number, "quote": "q"}]}))[0].quotes == (
        Quote(0, "q"),
    )


def test_that_the_passages_do_not_answer_is_read() -> None:
    reader = Reader()
    assert list(reader.feed('{"answerable": false}')) == []
    assert reader.says_unanswerable


def test_what_is_too_much_is_not_read() -> None:
    reader = Reader()
    assert list(reader.feed("x" * (MOST_CHARS + 1) + json.dumps(ONE))) == []
    assert reader.is_full
    many = Reader()
    assert len(list(many.feed(json.dumps(ONE) * (MOST_CLAIMS + 5)))) == MOST_CLAIMS
    assert many.is_full


def test_braces_without_end_do_no_harm() -> None:
    assert claims("{" * 20_000) == []
    assert claims('{"a":' * 6_000 + "1" + "}" * 6_000) == []


@given(st.text(alphabet=st.sampled_from('{}[]"\\:,ab \n'), max_size=300), st.text(max_size=100))
def test_nothing_that_is_written_raises(marks: str, words: str) -> None:
    claims(marks, words, marks)
