"""Support by words: of an answer by its passages, of sentences by what they cite."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.support import Statement, statements, supports
from tests.unit.evaluation.evaluators.scores import score

LEAVE = "Employees get 25 days of leave each year."
DENTAL = "Dental care is covered for all employees after a year."


def test_the_marks_of_a_sentence_are_its_citations() -> None:
    said = statements("Employees get 25 days of leave [1]. Dental care is covered. [2][3] Yes, it is so [4, 5].")
    assert said == [
        Statement("Employees get 25 days of leave .", (1,)),
        Statement("Dental care is covered .", (2, 3)),
        Statement("Yes, it is so .", (4, 5)),
    ]


def test_a_sentence_is_supported_by_its_words_and_its_figures() -> None:
    assert supports("Employees get 25 days of leave.", [LEAVE])
    assert not supports("Employees get 30 days of leave.", [LEAVE])
    assert not supports("The canteen opens at noon.", [LEAVE])
    assert supports("Employees get 25 days of leave, and dental care is covered.", [LEAVE, DENTAL])


def test_the_share_of_supported_sentences_counts() -> None:
    answer = "Employees get 25 days of leave. The canteen opens at noon."
    assert score("answer_support", answer=answer, passages=[LEAVE, {"text": DENTAL}]) == 0.5
    assert score("answer_support", answer=answer, passages=[]) == 0.0
    assert score("answer_support", answer=answer, passages=[LEAVE], abstained=True) is None
    assert score("answer_support", answer="...", passages=[LEAVE]) is None
    with pytest.raises(CannotScore, match="passages is 'text'"):
        score("answer_support", answer=answer, passages="text")


@pytest.mark.parametrize(
    ("answer", "recall", "precision"),
    [
        # Each sentence cites the passage that supports it.
        ("Employees get 25 days of leave [1]. Dental care is covered after a year [2].", 1.0, 1.0),
        # The second citation of the first sentence is not needed.
        ("Employees get 25 days of leave [1][2]. Dental care is covered after a year [2].", 1.0, 2 / 3),
        # Neither passage supports the sentence alone, both together do: both are needed.
        ("Leave is 25 days each year, dental care covered [1][2].", 1.0, 1.0),
        # The wrong passage: neither recall nor precision.
        ("Employees get 25 days of leave [2].", 0.0, 0.0),
        # One sentence cites nothing.
        ("Employees get 25 days of leave [1]. Dental care is covered after a year.", 0.5, 1.0),
        # A number that no citation has.
        ("Employees get 25 days of leave [7].", 0.0, 0.0),
    ],
)
def test_citations_are_counted_as_alce_counts_them(answer: str, recall: float, precision: float) -> None:
    values: dict[str, Any] = {"answer": answer, "citations": [{"quote": LEAVE}, {"quote": DENTAL}]}
    assert score("citation_recall", **values) == pytest.approx(recall)
    assert score("citation_precision", **values) == pytest.approx(precision)


def test_without_marks_every_sentence_cites_everything() -> None:
    values: dict[str, Any] = {
        "answer": "Employees get 25 days of leave.",
        "citations": [{"quote": LEAVE}, {"quote": DENTAL}],
    }
    assert score("citation_recall", **values) == 1.0
    assert score("citation_precision", **values) == 0.5


def test_an_answer_that_cites_nothing_has_none_of_both_and_an_abstention_no_value() -> None:
    assert score("citation_recall", answer=LEAVE, citations=[]) == 0.0
    assert score("citation_precision", answer=LEAVE, citations=[]) == 0.0
    assert score("citation_precision", answer=LEAVE, citations=[], abstained=True) is None
