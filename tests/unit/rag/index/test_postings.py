from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from opsloop.rag.index.postings import K1, B, Lexicon, Postings, joined, lexicon, postings

# Three rows: [7 7 9], [9], [9 5 5 5].
IDS = np.array([7, 7, 9, 9, 9, 5, 5, 5], dtype=np.uint32)
ROWS = np.array([0, 0, 0, 1, 2, 2, 2, 2])


def built(ids: NDArray[np.uint32], rows: NDArray[np.int64], count: int) -> Lexicon:
    return lexicon([postings(ids, rows, count)], [None])


def test_scores_are_bm25_as_computed_by_hand() -> None:
    found = built(IDS, ROWS, 3).scores([7, 9])
    rare = math.log(1 + (3 - 1 + 0.5) / 1.5)
    everywhere = math.log(1 + 0.5 / 3.5)
    mean = 8 / 3

    def part(inverse: float, repeats: int, length: int) -> float:
        return inverse * repeats * (K1 + 1) / (repeats + K1 * (1 - B + B * length / mean))

    assert found[0] == pytest.approx(part(rare, 2, 3) + part(everywhere, 1, 3), rel=1e-6)
    assert found[1] == pytest.approx(part(everywhere, 1, 1), rel=1e-6)
    assert found[2] == pytest.approx(part(everywhere, 1, 4), rel=1e-6)


def test_an_unknown_term_scores_nothing_and_is_the_rarest() -> None:
    found = built(IDS, ROWS, 3)
    assert not found.scores([8]).any()
    assert found.rarity(8) > found.rarity(7) > found.rarity(9) > 0


def test_rows_without_terms_score_zero() -> None:
    assert built(np.array([], np.uint32), np.array([], np.int64), 2).scores([1]).tolist() == [0, 0]


def halves() -> list[Postings]:
    first = ROWS < 2
    return [postings(IDS[first], ROWS[first], 2), postings(IDS[~first], ROWS[~first] - 2, 1)]


def test_parts_score_as_the_whole_does() -> None:
    whole = built(IDS, ROWS, 3)
    for parts in (halves(), [joined(halves())]):
        found = lexicon(parts, [None] * len(parts))
        assert found.scores([7, 9]) == pytest.approx(whole.scores([7, 9]))
        assert [found.rarity(term) for term in (7, 8, 9)] == [whole.rarity(term) for term in (7, 8, 9)]


def test_rows_that_are_gone_count_nowhere() -> None:
    left = np.array([True, False, True])
    flagged = lexicon([postings(IDS, ROWS, 3)], [left])
    thinned = lexicon([postings(IDS, ROWS, 3).kept(left)], [None])
    assert flagged.scores([7, 9])[left] == pytest.approx(thinned.scores([7, 9]))
    assert (flagged.count, flagged.rarity(9)) == (2, thinned.rarity(9))
