from __future__ import annotations

import numpy as np
import pytest

from opsloop.monitoring.drift.fitted import method_of
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.options import DriftOptions, Rule
from opsloop.monitoring.drift.z_score import MAX_SCORE, ZScore

BASELINE = np.column_stack([np.tile([9.0, 11.0], 50), np.full(100, 3.0)])
REFERENCE = fit(BASELINE, None, ("x", "constant"), DriftOptions(method=Rule.Z_SCORE))


def test_the_largest_z_of_a_request_is_its_score() -> None:
    reading = ZScore(REFERENCE).update(np.array([[14.0, 3.0], [15.0, 3.0]]), (), 0.0)
    assert (reading.score, reading.detected) == (4.5, False)  # baseline mean 10, standard deviation 1


def test_a_request_beyond_the_limit_is_detected_and_the_next_is_its_own() -> None:
    detector = ZScore(REFERENCE)
    assert detector.update(np.array([[15.5, 3.0]]), (), 0.0).detected
    assert "the mean of x in one request is 15.5, 5.5 baseline standard deviations" in detector.sentence
    assert not detector.update(np.array([[10.5, 3.0]]), (), 0.0).detected


def test_missing_values_are_left_out_of_the_mean() -> None:
    detector = ZScore(REFERENCE)
    assert detector.update(np.array([[np.nan, 3.0], [12.0, 3.0]]), (), 0.0).score == 2.0
    assert detector.update(np.array([[np.nan, np.nan]]), (), 0.0).score == 0.0


def test_a_constant_column_that_moves_has_a_score_that_json_can_hold() -> None:
    assert ZScore(REFERENCE).update(np.array([[10.0, 3.1]]), (), 0.0).score == MAX_SCORE


def test_a_table_with_text_is_scored_by_its_numbers() -> None:
    baseline = np.empty((100, 2), dtype=object)
    baseline[:, 0], baseline[:, 1] = BASELINE[:, 0], "red"
    detector = ZScore(fit(baseline, None, ("x", "colour"), DriftOptions(method=Rule.Z_SCORE)))
    assert detector.update(np.array([[12.0, "blue"], [None, "red"]], dtype=object), (), 0.0).score == 2.0


@pytest.mark.parametrize("rule", list(Rule))
def test_every_method_has_the_form_that_a_watch_uses(rule: Rule) -> None:
    method = method_of(fit(BASELINE, None, ("x", "constant"), DriftOptions(method=rule)))
    detector = method.new()
    reading = detector.update(BASELINE[:5], (), 0.0)
    assert not reading.detected
    resumed = method.restored(detector.checkpoint())
    assert method.score(resumed) >= 0.0
    assert not method.is_alarmed(method.together([detector.checkpoint()]))
    assert method.about["method"] == rule.value
    assert all(isinstance(figure, float) for figure in method.figures(detector).values())
    assert isinstance(method.evidence(detector).sentence, str)
