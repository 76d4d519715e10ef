from __future__ import annotations

import math

import pytest

from opsloop.evaluation.tuning import measuring
from opsloop.evaluation.tuning.measuring import Found
from opsloop.evaluation.tuning.models import Question


def found(
    *,
    relevant: tuple[str, ...] = (),
    answers: tuple[str, ...] = (),
    answerable: bool | None = True,
    ids: tuple[str, ...] = (),
    texts: tuple[str, ...] = (),
    support: float = 0.5,
) -> Found:
    return Found(Question("?", relevant, answers, answerable), ids, texts, support)


def test_figures_are_those_counted_by_hand() -> None:
    second = found(
        relevant=("b",), answers=("25  days",), ids=("a", "b"), texts=("none", "It is 25\ndays."), support=0.9
    )
    missed = found(relevant=("c",), ids=("a",), support=0.4)
    foreign = found(answerable=False, ids=("a",), support=0.4)
    figures = measuring.quality([second, missed, foreign], 0.5)
    assert figures.ndcg_at_10 == pytest.approx((1 / math.log2(3)) / 2)
    assert (figures.recall_at_5, figures.holds_gold) == (0.5, 1.0)
    assert (figures.questions, figures.unanswerable) == (3, 1)
    assert figures.right == pytest.approx((1 / 2 + 1) / 2)
    assert figures.auroc == pytest.approx((1 + 0.5) / 2)


def test_what_no_question_says_is_not_measured() -> None:
    figures = measuring.quality([found(answerable=None, texts=("x",))], 0.5)
    assert (figures.ndcg_at_10, figures.holds_gold, figures.right, figures.auroc) == (None, None, None, None)


def test_gold_counts_in_the_first_thousand_words_only() -> None:
    filler = "word " * 999
    near = found(answers=("gold",), texts=(filler, "gold"))
    far = found(answers=("gold",), texts=(filler, "two words", "gold"))
    assert (measuring.holds_gold(near), measuring.holds_gold(far)) == (1.0, 0.0)


def test_the_threshold_stands_between_those_with_and_those_without_an_answer() -> None:
    having = [found(support=each) for each in (0.3, 0.4)]
    lacking = [found(answerable=False, support=each) for each in (0.1, 0.2)]
    assert measuring.threshold(having, lacking) == pytest.approx(0.25)


def test_of_equal_thresholds_the_one_nearest_to_the_usual_is_taken() -> None:
    having, lacking = [found(support=0.9)], [found(answerable=False, support=0.1)]
    assert measuring.threshold(having, lacking) == 0.5
