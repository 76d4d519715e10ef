from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from opsloop.monitoring.drift.detector import Detector
from opsloop.monitoring.drift.explanation import explain
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.reference import Reference
from tests.unit.monitoring.drift.rows import NAMES, Table, reference, rows, said


def fed(detector: Detector, X: Table, size: int) -> Detector:
    for start in range(0, len(X), size):
        part = X[start : start + size]
        detector.update(part, said(part), float(start))
    return detector


@pytest.fixture(scope="module")
def known() -> Reference:
    return reference()


@pytest.mark.parametrize("size", [2, 7, 9, 100, 1500])
def test_a_batch_says_what_its_rows_say_one_by_one(known: Reference, size: int) -> None:
    X = rows(1500, seed=2)
    X[::50, 1] = np.nan
    one, many = fed(Detector(known), X, 1), fed(Detector(known), X, size)
    np.testing.assert_allclose(many.evidence, one.evidence, rtol=1e-10)
    assert many.score == pytest.approx(one.score, rel=1e-10)
    assert many.rows == one.rows == 1500
    np.testing.assert_equal(list(many.kept), list(one.kept))


@pytest.mark.parametrize("size", [2, 9, 100])
def test_a_batch_alarms_at_the_row_that_would_have_alarmed_alone(known: Reference, size: int) -> None:
    X = rows(2000, seed=3)
    X[1000:] += (0.0, 0.0, 2.0, 0.0)
    one, many = fed(Detector(known), X, 1), fed(Detector(known), X, size)
    assert one.alarmed_at is not None
    assert 1000 < one.alarmed_at < 1100
    assert many.alarmed_at == one.alarmed_at
    np.testing.assert_allclose(many.evidence, one.evidence, rtol=1e-10)
    assert many.kept == one.kept


def test_rows_of_an_unchanged_stream_raise_no_alarm(known: Reference) -> None:
    alarms = [fed(Detector(known), rows(5000, seed=seed), 500).alarmed_at for seed in range(10, 22)]
    assert alarms == [None] * 12  # 60,000 rows at one alarm in 200,000


def test_a_detector_restored_from_its_checkpoint_goes_on_as_if_it_had_not_stopped(known: Reference) -> None:
    X = rows(900, seed=4)
    whole = fed(Detector(known), X, 1)
    stopped = fed(Detector(known), X[:450], 1)
    resumed = fed(Detector.restored(Reference.from_bytes(known.to_bytes()), stopped.checkpoint()), X[450:], 1)
    assert (resumed.evidence == whole.evidence).all()
    assert (resumed.rows, resumed.score) == (whole.rows, whole.score)


def test_a_huge_request_is_read_in_parts_and_its_alarm_is_new_once(known: Reference) -> None:
    X = np.tile(rows(1000, seed=11), (50, 1))
    X[45_000:] += 20.0
    reading = Detector(known).update(X, said(X), 0.0)
    assert (reading.detected, reading.is_new) == (True, True)


def test_a_checkpoint_of_another_reference_is_refused(known: Reference) -> None:
    state = Detector(reference(seed=9)).checkpoint()
    with pytest.raises(ValueError, match="another reference"):
        Detector.restored(known, state)
    with pytest.raises(ValueError, match="no drift detector"):
        Detector.restored(known, b"something else")


def test_an_alarm_is_new_once_and_lasts(known: Reference) -> None:
    detector = Detector(known)
    far = rows(1, seed=5) * 10
    readings = [detector.update(far, [1], 0.0) for _ in range(20)]
    assert [reading.is_new for reading in readings].count(True) == 1
    assert readings[-1].detected
    assert readings[-1].score >= 1
    assert Detector.restored(known, detector.checkpoint()).update(far, [1], 0.0).detected


def test_workers_that_share_the_rows_have_the_sum_of_their_evidence(known: Reference) -> None:
    workers = [Detector(known) for _ in range(3)]
    X = rows(300, seed=6) + np.array([0.0, 0.0, 0.7, 0.0])
    for number, worker in enumerate(workers):
        worker.update(X[number::3], said(X[number::3]), 0.0)
    merged = Detector.merged(known, [worker.checkpoint() for worker in workers])
    np.testing.assert_allclose(merged.evidence, sum(worker.evidence for worker in workers))
    assert merged.rows == 300
    assert merged.score > max(worker.score for worker in workers)


def test_by_time_the_evidence_of_idle_hours_counts_as_time_passed() -> None:
    known = reference(false_alarms_per_year=1.0)
    detector = Detector(known)
    X = rows(400, seed=7)
    readings = [detector.update(X[place : place + 1], said(X[place : place + 1]), 60.0 * place) for place in range(400)]
    assert not any(reading.detected for reading in readings)
    X[:, 3] += 4.0
    for place in range(400):
        if detector.update(X[place : place + 1], said(X[place : place + 1]), 60.0 * (400 + place)).is_new:
            break
    assert detector.alarmed_at is not None
    assert 400 < detector.alarmed_at < 430


CHANGES: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "up": (lambda X: X + np.array([0, 0, 2.0, 0]), ("weight",), "weight moved up by"),
    "far down": (lambda X: X - np.array([0, 0, 30.0, 0]), ("weight",), "weight moved down by more than 3."),
    "wider": (lambda X: (X - 10) * np.array([1, 1, 1, 2.0]) + 10, ("age",), "age spreads"),
    "ten times": (lambda X: X * np.array([1, 1, 1, 10.0]), ("age",), "age looks 10 times as large"),
    "missing": (lambda X: np.where(np.arange(4) == 3, np.nan, X), ("age",), "age is missing in 100.0% of rows"),
    "unlinked": (
        lambda X: np.column_stack([np.roll(X[:, 0], 1), X[:, 1:]]),
        ("length", "width"),
        "length and width no longer go together",
    ),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_an_alarm_names_what_changed_and_since_when(known: Reference, change: str) -> None:
    changed, columns, words = CHANGES[change]
    X = np.vstack([rows(2000, seed=8), changed(rows(2000, seed=9))])
    finding = explain(fed(Detector(known), X, 1))
    assert finding.detected
    assert finding.columns == columns
    assert finding.sentence.startswith(words)
    assert 1960 <= finding.since_row <= 2040
    assert sum(share for _, share in finding.contributions) == pytest.approx(1.0)


def test_text_unseen_and_missing_values_are_categories() -> None:
    random = np.random.default_rng(0)
    X = np.empty((3000, 2), dtype=object)
    X[:, 0] = random.choice(["north", "south", "east"], 3000, p=[0.6, 0.3, 0.1])
    X[:, 1] = random.integers(0, 5, 3000).astype(float)
    known = fit(X, None, ("region", "rooms"))
    one, many = Detector(known), Detector(known)
    for row in X[:300]:
        one.update(row[None, :], [], 0.0)
    many.update(X[:300], [], 0.0)
    np.testing.assert_allclose(many.evidence, one.evidence, rtol=1e-10)
    X[:, 0] = np.where(random.random(3000) < 0.5, "west", X[:, 0])
    X[0] = [None, None]
    for row in X:
        one.update(row[None, :], [], 0.0)
    finding = explain(one)
    assert finding.columns == ("region",)
    assert "'west'" in finding.sentence


def test_rare_labels_that_become_frequent_are_seen_together_and_named_by_the_one_that_moved_most() -> None:
    random = np.random.default_rng(1)
    labels = np.array([f"c{place}" for place in range(40)], dtype=object)
    before, after = 1.0 / np.arange(1, 41), np.ones(40)
    after[25] = 4.0
    X = random.choice(labels, (3000, 1), p=before / before.sum())
    detector = Detector(fit(X, None, ("maker",)))
    for row in random.choice(labels, (200, 1), p=after / after.sum()):
        detector.update(row[None, :], [], 0.0)
    assert detector.alarmed_at is not None
    assert detector.alarmed_at < 100
    sentence = explain(detector).sentence
    assert sentence.startswith("maker is ")
    assert "in the reference" in sentence


def test_every_e_value_has_a_mean_of_at_most_one_over_the_reference(known: Reference) -> None:
    detector, X = Detector(known), rows(4000, seed=1)
    factors = detector.sums.factors(detector._lookup.tokens(X, said(X)))
    assert factors.mean(axis=0).max() <= 1.0
    assert math.isclose(known.tables.weights.sum(), 1.0)


def test_the_set_rate_is_for_all_columns_together() -> None:
    few, many = reference(), fit(np.random.default_rng(0).standard_normal((500, 30)), None, [str(n) for n in range(30)])
    for known in (few, many):
        assert known.tables.weights.sum() == pytest.approx(1.0)
        assert (known.tables.weights >= 0).all()
    assert tuple(column.name for column in few.raw[:4]) == NAMES
