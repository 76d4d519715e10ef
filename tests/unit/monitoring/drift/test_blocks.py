from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.drift.detector import Detector
from opsloop.monitoring.drift.explanation import explain
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.options import DriftOptions
from opsloop.monitoring.drift.reference import Reference

PER_DAY = 40
Table = np.ndarray[Any, Any]


def days(count: int, seed: int, *, shift_from: int | None = None) -> tuple[Table, Table]:
    """Rows that share the level of their day, and when they came."""
    random = np.random.default_rng(seed)
    levels = random.standard_normal((count, 2))
    if shift_from is not None:
        levels[shift_from:, 0] += 2.0
    X = np.repeat(levels, PER_DAY, axis=0) + random.standard_normal((count * PER_DAY, 2))
    at_s = (np.repeat(np.arange(count), PER_DAY) + np.tile(np.arange(PER_DAY), count) / PER_DAY) * 86_400.0
    return X, at_s


def of_days(**options: Any) -> Reference:
    X, at_s = days(150, seed=0)
    return fit(X, None, ("load", "heat"), DriftOptions(false_alarms_every=365.0 * PER_DAY, **options), at_s=at_s)


def fed_days(reference: Reference, X: Table, at_s: Table) -> Detector:
    detector = Detector(reference)
    for start in range(0, len(X), 10):
        detector.update(X[start : start + 10], (), float(at_s[start]))
    return detector


def test_days_that_share_a_level_are_taken_as_the_unit() -> None:
    block = of_days().block
    assert (block.unit, block.is_independent) == ("day", True)
    assert "correlate" in block.why


def test_independent_rows_in_order_are_the_unit() -> None:
    X = np.random.default_rng(0).standard_normal((2000, 3))
    reference = fit(X, None, "abc", is_ordered=True)
    assert (reference.block.unit, reference.is_guaranteed) == ("row", True)


def test_rows_that_remember_are_watched_in_blocks_of_rows() -> None:
    random = np.random.default_rng(1)
    x = np.zeros(20_000)
    for place, noise in enumerate(random.standard_normal(20_000)[1:], start=1):
        x[place] = 0.8 * x[place - 1] + noise
    block = fit(x[:, None], None, ("x",), is_ordered=True).block
    assert (block.unit, block.is_independent) == ("rows", True)
    assert block.rows >= 32


def test_a_trend_leaves_no_unit_and_the_rate_is_not_promised() -> None:
    x = np.linspace(0, 5, 1000) + np.random.default_rng(2).standard_normal(1000)
    reference = fit(x[:, None], None, ("x",), is_ordered=True)
    assert not reference.is_guaranteed
    assert "no rate is promised" in reference.block.why


def test_days_without_change_raise_no_alarm_and_changed_days_do() -> None:
    reference = of_days()
    assert fed_days(reference, *days(200, seed=3)).alarmed_at is None
    detector = fed_days(reference, *days(120, seed=4, shift_from=60))
    finding = explain(detector)
    assert detector.alarmed_at is not None
    assert detector.alarmed_at > 60 * PER_DAY
    assert finding.columns[0] == "level of load"
    assert 50 * PER_DAY < finding.since_row < 72 * PER_DAY
    assert finding.unit == "day"


def test_rows_as_independent_would_alarm_on_days_without_change() -> None:
    reference = of_days(block="row")
    assert not reference.is_guaranteed
    assert fed_days(reference, *days(100, seed=3)).alarmed_at is not None


def test_an_open_block_outlives_a_checkpoint() -> None:
    reference = of_days()
    X, at_s = days(60, seed=5)
    whole, part = fed_days(reference, X, at_s), fed_days(reference, X[:1010], at_s[:1010])
    resumed = Detector.restored(Reference.from_bytes(reference.to_bytes()), part.checkpoint())
    for start in range(1010, len(X), 10):
        resumed.update(X[start : start + 10], (), float(at_s[start]))
    np.testing.assert_allclose(resumed.evidence, whole.evidence, rtol=1e-9)


def test_a_request_of_the_same_row_a_thousand_times_is_one_piece_of_evidence() -> None:
    random = np.random.default_rng(6)
    baseline = random.standard_normal((2000, 2))
    same = np.repeat([[1.9, -1.9]], 1000, axis=0)
    as_rows = Detector(fit(baseline, None, "ab", DriftOptions(block="row")))
    as_requests = Detector(fit(baseline, None, "ab", DriftOptions(block="request")))
    assert as_rows.update(same, (), 0.0).detected
    assert not as_requests.update(same, (), 0.0).detected


@pytest.mark.parametrize("block", ["hour", "day"])
def test_blocks_of_time_need_times(block: str) -> None:
    with pytest.raises(InvalidInput, match="have no times"):
        fit(np.random.default_rng(0).standard_normal((500, 2)), None, "ab", DriftOptions(block=block))


def test_too_few_days_are_refused_by_name() -> None:
    X, at_s = days(20, seed=7)
    with pytest.raises(InvalidInput, match="wanted at least 30; the baseline has 18 such blocks"):
        fit(X, None, ("load", "heat"), DriftOptions(block="day"), at_s=at_s)
