from __future__ import annotations

import numpy as np
import pytest

from opsloop.rag.index.foremost import reached


@pytest.mark.parametrize("size", [0, 5, 64, 700, 12_800, 12_863, 50_001])
@pytest.mark.parametrize("kind", ["spread", "mostly equal", "rising", "all equal"])
def test_the_greatest_are_among_the_rows_that_reach_the_bound(size: int, kind: str) -> None:
    random = np.random.default_rng(size)
    scores = {
        "spread": random.random(size),
        "mostly equal": np.where(random.random(size) < 0.01, random.random(size), 0.5),
        "rising": np.arange(size, dtype=np.float64),
        "all equal": np.ones(size),
    }[kind].astype(np.float32)
    rows = reached(scores, 200)
    wanted = np.sort(scores)[::-1][:200]
    assert np.array_equal(np.sort(scores[rows])[::-1][:200], wanted)
    assert np.array_equal(rows, np.unique(rows))
    left_out = np.delete(scores, rows)
    assert len(left_out) == 0 or left_out.max() <= wanted[-1]


def test_few_rows_are_looked_at_when_scores_differ() -> None:
    scores = np.random.default_rng(3).random(100_000).astype(np.float32)
    assert 200 <= len(reached(scores, 200)) < 2_000


def test_distances_of_whole_numbers_turned_round_give_the_nearest() -> None:
    distances = np.random.default_rng(4).integers(0, 384, 100_000).astype(np.uint16)
    nearest = distances[reached(~distances, 600)]
    assert np.array_equal(np.sort(nearest)[:600], np.sort(distances)[:600])
