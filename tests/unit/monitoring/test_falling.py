from __future__ import annotations

import math

import numpy as np
import pytest

from opsloop.monitoring.performance.falling import Standing, Validated, after, expected_delay, score

ACCURATE = Validated("accuracy", 0.95, 0.02, 1_000)


def answers(rng: np.random.Generator, share: float, count: int) -> list[tuple[int, int]]:
    return [(1, int(right)) for right in rng.random(count) < share]


def labels_until_alarm(validated: Validated, share: float, seed: int, most: int = 20_000) -> int:
    found = after(Standing(), validated, answers(np.random.default_rng(seed), share, most))
    return found.alarmed_at or most


def test_one_right_answer_by_hand() -> None:
    validated = Validated("accuracy", 0.95, 0.05, 100_000)
    found = after(Standing(), validated, [(1, 1)])
    # bound 0.9, largest stake 10: the smallest of the grid is 0.1, and its factor 1 + 0.1 (0.9 - 1).
    assert found.logs[0] == pytest.approx(math.log(0.99))


def test_the_mean_number_of_labels_until_a_false_alarm_is_at_least_the_set_one() -> None:
    # At the bound itself, the hardest case of the null hypothesis.
    validated = Validated("accuracy", 0.95, 0.02, 200)
    found = [labels_until_alarm(validated, validated.bound, seed, most=2_000) for seed in range(100)]
    mean, error = float(np.mean(found)), float(np.std(found)) / 10
    assert mean + 3 * error >= 200


def test_a_model_as_good_as_validated_is_left_alone() -> None:
    assert labels_until_alarm(Validated("accuracy", 0.95, 0.02, 100_000), 0.95, seed=1) == 20_000


def test_a_fall_is_found_in_about_the_labels_that_are_told() -> None:
    validated = Validated("accuracy", 0.95, 0.02, 100_000)
    found = float(np.median([labels_until_alarm(validated, 0.8, seed, most=1_000) for seed in range(11)]))
    told = expected_delay(validated, 0.8)
    assert told is not None
    assert 0.5 * told < found < 2 * told


def test_the_evidence_begins_where_the_fall_did() -> None:
    rng = np.random.default_rng(3)
    pairs = answers(rng, 0.95, 3_000) + answers(rng, 0.6, 300)
    found = after(Standing(), Validated("accuracy", 0.95, 0.02, 100_000), pairs)
    assert found.alarmed_at is not None
    assert 3_000 < found.alarmed_at < 3_150
    assert abs(found.since_label - 3_000) < 60


def test_a_test_goes_on_from_what_was_stored() -> None:
    pairs = answers(np.random.default_rng(5), 0.85, 400)
    whole = after(Standing(), ACCURATE, pairs)
    half = Standing.restored(after(Standing(), ACCURATE, pairs[:200]).stored())
    assert after(half, ACCURATE, pairs[200:]) == whole


def test_larger_errors_than_validated_are_found() -> None:
    rng = np.random.default_rng(7)
    validated = Validated("mse", 4.0, 0.02, 100_000)
    same = [(float(error), 0.0) for error in rng.normal(0, 2, 3_000)]
    worse = [(float(error), 0.0) for error in rng.normal(0, 4, 3_000)]
    assert after(Standing(), validated, same).alarmed_at is None
    assert (after(Standing(), validated, worse).alarmed_at or math.inf) < 300


def test_errors_without_bound_raise_no_false_alarm_by_one_of_them() -> None:
    assert after(Standing(), Validated("mse", 1.0, 0.02, 100_000), [(1e12, 0.0)]).alarmed_at is None


def test_the_score_is_one_at_the_alarm() -> None:
    found = after(Standing(), ACCURATE, [(1, 0)] * 4)
    assert (score(found, ACCURATE) >= 1) == (found.alarmed_at is not None)


def test_no_fall_has_no_delay() -> None:
    assert expected_delay(ACCURATE, 0.95) is None
