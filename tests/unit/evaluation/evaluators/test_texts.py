"""Edit similarity and BLEU, against published values and those of sacreBLEU."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.bleu import counts, words
from opsloop.evaluation.evaluators.edit_similarity import edit_distance
from tests.unit.evaluation.evaluators.scores import figures, score

LETTERS = st.text(alphabet="abc", max_size=12)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("kitten", "sitting", 3), ("saturday", "sunday", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0)],
)
def test_the_edit_distance_is_levenshteins(first: str, second: str, distance: int) -> None:
    assert edit_distance(first, second) == distance


@given(LETTERS, LETTERS)
def test_the_bits_give_what_the_table_gives(first: str, second: str) -> None:
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first, start=1):
        diagonal, row[0] = row[0], place
        for at, other in enumerate(second, start=1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (letter != other))
    assert edit_distance(first, second) == row[-1]


def test_edit_similarity_takes_the_nearest_truth() -> None:
    assert score("edit_similarity", answer="kitten", truth=["sitting", "mitten"]) == pytest.approx(1 - 1 / 6)
    assert score("edit_similarity", answer="", truth="") == 1.0


def test_texts_too_long_to_compare_are_said() -> None:
    with pytest.raises(CannotScore, match="50,001 characters"):
        score("edit_similarity", answer="a" * 50_001, truth="a")


def test_a_word_counts_as_often_as_the_truth_has_it() -> None:
    # Papineni et al. 2002, section 2.1: "the" seven times against two references, modified precision 2/7.
    truths = [words("The cat is on the mat"), words("There is a cat on the mat")]
    assert counts(["the"] * 7, truths)[2:4] == [2, 7]


def test_bleu_of_a_row_is_smoothed_as_sacrebleu_smooths_it() -> None:
    truth = "the cat is on the mat"
    assert score("bleu", answer=truth, truth=truth) == pytest.approx(1.0)
    # sacreBLEU 2.6, sentence_bleu(smooth_method="exp", use_effective_order=True).
    assert score("bleu", answer="the cat is on a", truth=truth) == pytest.approx(0.5475182535069452)
    assert score("bleu", answer="the cat on a mat", truth=truth) == pytest.approx(0.2080119537801062)
    assert score("bleu", answer="a mat", truth=truth) == pytest.approx(0.067667641618306344)
    assert score("bleu", answer="", truth=truth) == 0.0


def test_bleu_of_all_rows_adds_their_counts() -> None:
    rows: list[dict[str, Any]] = [
        {"answer": "the cat is on the mat today", "truth": "the cat is on the mat"},
        {"answer": "a dog sat in the garden", "truth": "one dog sat in the big garden"},
        {"answer": None, "truth": "two words"},
    ]
    # sacreBLEU 2.6, corpus_bleu of the same rows (the failed one as an empty text).
    assert figures("bleu", rows) == {"corpus_bleu": pytest.approx(0.5966089938718628)}
