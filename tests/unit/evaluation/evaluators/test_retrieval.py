"""Retrieval measures, against published and hand-computed values."""

from __future__ import annotations

import math
from typing import Any

import pytest

from opsloop.evaluation.errors import CannotScore
from tests.unit.evaluation.evaluators.scores import score

RANKED = ["d1", "d2", "d3", "d4", "d5"]


def test_recall_precision_and_hit_look_at_the_first_k() -> None:
    values: dict[str, Any] = {"retrieved": RANKED, "relevant": ["d2", "d5", "d9"]}
    assert score("recall_at_k", **values) == pytest.approx(2 / 3)
    assert score("recall_at_k", {"k": 3}, **values) == pytest.approx(1 / 3)
    assert score("precision_at_k", {"k": 5}, **values) == pytest.approx(2 / 5)
    assert score("precision_at_k", {"k": 10}, **values) == pytest.approx(2 / 10)
    assert score("hit_at_k", {"k": 1}, **values) == 0.0
    assert score("hit_at_k", {"k": 2}, **values) == 1.0
    assert score("mrr", **values) == 0.5
    assert score("mrr", {"k": 1}, **values) == 0.0


def test_ndcg_is_that_of_the_published_example() -> None:
    # Grades 3, 2, 3, 0, 1, 2 in the order found: DCG 6.861; the best order of these gives 7.141 (the example of
    # "Discounted cumulative gain" in Wikipedia, with only these six documents relevant).
    grades = {"d1": 3, "d2": 2, "d3": 3, "d4": 0, "d5": 1, "d6": 2}
    values: dict[str, Any] = {"retrieved": ["d1", "d2", "d3", "d4", "d5", "d6"], "relevant": grades}
    assert score("ndcg_at_k", {"k": 6}, **values) == pytest.approx(6.861 / 7.141, abs=2e-4)
    # With two more relevant ones that were not found (3 and 2) the best is 8.740, and nDCG@6 0.785.
    more = {**grades, "d7": 3, "d8": 2}
    assert score("ndcg_at_k", {"k": 6}, retrieved=values["retrieved"], relevant=more) == pytest.approx(0.785, abs=5e-4)


def test_the_exponential_gain_weighs_high_grades_more() -> None:
    values: dict[str, Any] = {"retrieved": ["a", "b"], "relevant": {"a": 1, "b": 3}}
    expected = (1 + 7 / math.log2(3)) / (7 + 1 / math.log2(3))
    assert score("ndcg_at_k", {"gain": "exponential"}, **values) == pytest.approx(expected)


def test_what_comes_twice_counts_once_and_takes_one_place() -> None:
    chunks = [{"filename": "a", "chunk": 1}, {"filename": "a", "chunk": 2}, {"filename": "b", "chunk": 1}]
    assert score("mrr", retrieved=chunks, relevant=["b"]) == 0.5
    assert score("recall_at_k", {"k": 2}, retrieved=chunks, relevant=["a", "b"]) == 1.0
    assert score("ndcg_at_k", retrieved=["a", "a"], relevant=["a"]) == 1.0


def test_objects_bring_their_id_under_a_key() -> None:
    passages = [{"id": 4, "page": "x"}, {"id": 5, "page": "y"}]
    assert score("hit_at_k", retrieved=passages, relevant=[5]) == 1.0
    assert score("mrr", {"key": "page"}, retrieved=passages, relevant=["y"]) == 0.5
    assert score("ndcg_at_k", retrieved=passages, relevant=[{"id": 4, "grade": 2}]) == 1.0
    with pytest.raises(CannotScore, match="an object with page"):
        score("mrr", {"key": "page"}, retrieved=[{"id": 4}], relevant=["y"])


@pytest.mark.parametrize("relevant", [[], {}, {"d1": 0}])
def test_a_question_with_nothing_relevant_has_no_value(relevant: Any) -> None:
    assert score("recall_at_k", retrieved=RANKED, relevant=relevant) is None


def test_nothing_retrieved_is_the_worst_and_no_failure() -> None:
    for name in ("recall_at_k", "precision_at_k", "ndcg_at_k", "mrr", "hit_at_k"):
        assert score(name, retrieved=[], relevant=["d1"]) == 0.0


@pytest.mark.parametrize(
    ("retrieved", "relevant"),
    [("d1", ["d1"]), ([None], ["d1"]), ([""], ["d1"]), ([1.5], ["d1"]), (["d1"], {"d1": "high"}), (["d1"], {"d1": -1})],
)
def test_what_is_no_ranking_cannot_be_scored(retrieved: Any, relevant: Any) -> None:
    with pytest.raises(CannotScore):
        score("ndcg_at_k", retrieved=retrieved, relevant=relevant)
