from __future__ import annotations

import math

import numpy as np
import pytest

from opsloop.rag.index._postings import K1, B, postings

# Three rows: [7 7 9], [9], [9 5 5 5].
IDS = np.array([7, 7, 9, 9, 9, 5, 5, 5], dtype=np.uint32)
ROWS = np.array([0, 0, 0, 1, 2, 2, 2, 2])


def test_scores_are_bm25_as_computed_by_hand() -> None:
    found = postings(IDS, ROWS, 3).scores([7, 9])
    rare = math.log(1 + (3 - 1 + 0.5) / 1.5)
    everywhere = math.log(1 + 0.5 / 3.5)
    mean = 8 / 3

    def part(inverse: float, repeats: int, length: int) -> float:
        return inverse * repeats * (K1 + 1) / (repeats + K1 * (1 - B + B * length / mean))

    assert found[0] == pytest.approx(part(rare, 2, 3) + part(everywhere, 1, 3), rel=1e-6)
    assert found[1] == pytest.approx(part(everywhere, 1, 1), rel=1e-6)
    assert found[2] == pytest.approx(part(everywhere, 1, 4), rel=1e-6)


def test_an_unknown_term_scores_nothing_and_is_the_rarest() -> None:
    built = postings(IDS, ROWS, 3)
    assert not built.scores([8]).any()
    assert built.rarity(8) > built.rarity(7) > built.rarity(9) > 0


def test_rows_without_terms_score_zero() -> None:
    assert postings(np.array([], np.uint32), np.array([], np.int64), 2).scores([1]).tolist() == [0, 0]
