"""Scores of candidates put into one order, against numbers worked out by hand and against the embedded index."""

from __future__ import annotations

import math

import numpy as np
import pytest

from opsloop.rag.index.postings import lexicon, postings
from opsloop.rag.stores.fusing import Frequencies, Scored, fused


def test_bm25_is_that_of_the_embedded_index() -> None:
    rows = [[1, 2, 2, 3], [1, 4], [2, 5, 6, 7, 8]]
    ids = np.array([term for row in rows for term in row], dtype=np.uint32)
    row_of = np.repeat(np.arange(3), [len(row) for row in rows])
    embedded = lexicon([postings(ids, row_of, 3)], [None]).scores([1, 2])
    known = Frequencies(3, 11 / 3, {1: 2, 2: 2})
    assert [known.bm25(row) for row in rows] == pytest.approx(embedded.tolist(), rel=1e-5)


def test_a_term_is_as_rare_as_its_frequency_says() -> None:
    known = Frequencies(9, 2.0, {1: 4})
    assert known.rarity(1) == pytest.approx(math.log(1 + 5.5 / 4.5))
    assert known.rarity(2) == pytest.approx(math.log(1 + 9.5 / 0.5))


def test_scores_are_divided_by_the_greatest_and_added() -> None:
    found = fused(
        [Scored(1, 4.0, 0.0), Scored(2, 2.0, 0.8), Scored(3, 0.0, 0.4), Scored(4, 0.0, -0.5)], 0.25, by_ranks=False
    )
    assert found == pytest.approx({1: 0.75, 2: 0.75 * 0.5 + 0.25, 3: 0.125})


def test_ranks_are_inverted_and_added() -> None:
    found = fused([Scored(1, 4.0, 0.0), Scored(2, 2.0, 0.8)], 0.5, by_ranks=True)
    best = 1 / 62 + 1 / 61
    assert found == pytest.approx({1: (1 / 61) / best, 2: 1.0})


def test_nothing_that_matches_is_nothing_found() -> None:
    assert fused([Scored(1, 0.0, -0.1)], 0.5, by_ranks=False) == {}
    assert fused([], 0.5, by_ranks=True) == {}
