"""The rate people would give: by hand, and its coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from opsloop.evaluation.evaluators.judging import spec
from opsloop.evaluation.judges.correction import corrected
from opsloop.evaluation.judges.models import Counted

YES_NO = spec.read({"rubric": "r"}, "").scale


def test_the_judges_mean_is_moved_by_its_mean_error() -> None:
    # On 10 labelled rows the judge says yes to 2 of 5 that people say no to: label minus score is -2/10 in the mean.
    table = [Counted(1.0, 1.0, 5), Counted(0.0, 0.0, 3), Counted(0.0, 1.0, 2)]
    found = corrected([1.0] * 60 + [0.0] * 40, table, YES_NO)
    assert found is not None
    assert found.value == pytest.approx(0.6 - 0.2)
    error = math.sqrt(0.24 * 100 / 99 / 100 + (0.2 - 0.04) * 10 / 9 / 10)
    assert found.low is not None
    assert found.low == pytest.approx(0.4 - 2.262157 * error, abs=1e-5)


def test_it_stays_within_the_scale_and_needs_rows() -> None:
    found = corrected([1.0] * 10, [Counted(1.0, 0.0, 5), Counted(1.0, 1.0, 5)], YES_NO)
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert corrected([1.0], [Counted(1.0, 1.0, 5)], YES_NO) is None
    assert corrected([1.0] * 5, [], YES_NO) is None


def test_the_interval_covers_what_people_would_say() -> None:
    """A judge that says yes to 95 % of the good and to 30 % of the bad: its own mean is far off."""
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(400):
        good = rng.random(1_100) < 0.6
        says = np.where(good, rng.random(1_100) < 0.95, rng.random(1_100) < 0.3)
        labelled = list(zip(good[:100].tolist(), says[:100].tolist(), strict=True))
        table = [Counted(float(label), float(score), labelled.count((label, score))) for label, score in set(labelled)]
        found = corrected(says[100:].astype(float).tolist(), table, YES_NO)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.6 <= found.high
    assert 0.92 < covered / 400 < 0.985  # Monte-Carlo error at 0.95: 0.011 a deviation
