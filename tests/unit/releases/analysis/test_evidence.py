from __future__ import annotations

import math

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.adverse import AdverseProcess
from opsloop.releases.analysis.evidence import ERROR, QUALITY, SLOW, Evidence, Finding, Kind, Reading, weigh
from opsloop.releases.analysis.readings import adverse_reading, score_reading
from opsloop.releases.analysis.scores import ScoreProcess


def reading(kind: Kind, *, candidate: int, stable: int, share: float = 0.1) -> Reading:
    process = AdverseProcess()
    process.add(candidate=candidate, stable=stable, share=share)
    return adverse_reading(kind, process, candidate_subjects=1_000, stable_subjects=9_000)


def weighed(*readings: Reading, subjects: int = 1_000) -> Evidence:
    return weigh(readings, candidate_subjects=subjects)


def test_a_failing_candidate_is_found_worse_in_a_sentence_with_the_figures() -> None:
    evidence = weighed(reading(ERROR, candidate=12, stable=13))
    assert evidence.finding is Finding.WORSE
    assert evidence.kind == "error"
    assert evidence.relative_risk == pytest.approx(12 * 9 / 13)
    assert (evidence.candidate.adverse, evidence.candidate.subjects) == (12, 1_000)
    assert evidence.candidate.rate == pytest.approx(0.012)
    assert evidence.threshold == pytest.approx(100.0)
    assert evidence.sentence == (
        "candidate fails 8.3 x as often as stable (12 of 25 failing users, 10 % of traffic), e = 27,948 >= 100"
    )


def test_an_equal_candidate_leaves_no_evidence() -> None:
    evidence = weighed(reading(ERROR, candidate=10, stable=90))
    assert evidence.finding is Finding.NO_EVIDENCE
    assert evidence.sentence.startswith("no evidence that the candidate is worse: candidate fails 1.0 x as often")


def test_few_subjects_are_not_enough() -> None:
    evidence = weighed(reading(ERROR, candidate=0, stable=2), subjects=12)
    assert evidence.finding is Finding.NOT_ENOUGH
    assert evidence.sentence == (
        "not enough evidence: 12 of 30 candidate users seen; "
        "none of 2 failing users is the candidate's (10 % of traffic)"
    )


def test_silence_is_not_enough() -> None:
    evidence = weighed(reading(ERROR, candidate=0, stable=0), subjects=0)
    assert evidence.finding is Finding.NOT_ENOUGH
    assert "no failing user on either side" in evidence.sentence


def test_a_broken_candidate_is_stopped_before_the_minimum_of_subjects() -> None:
    assert weighed(reading(ERROR, candidate=6, stable=0), subjects=6).finding is Finding.WORSE


def test_kinds_share_alpha_by_their_weights() -> None:
    evidence = weighed(reading(ERROR, candidate=1, stable=9), reading(SLOW, candidate=12, stable=13))
    assert evidence.kind == "slow"
    assert evidence.threshold == pytest.approx((0.40 + 0.25) / 0.25 * 100)
    alone = weighed(reading(SLOW, candidate=12, stable=13))
    assert alone.threshold == pytest.approx(100.0)


def test_evidence_just_below_its_part_of_alpha_does_not_fire() -> None:
    strong = reading(ERROR, candidate=12, stable=13)
    alpha = math.exp(-strong.log_e)
    at_limit = weigh([strong], candidate_subjects=100, alpha=alpha * 1.001)
    below = weigh([strong], candidate_subjects=100, alpha=alpha * 0.999)
    assert (at_limit.finding, below.finding) == (Finding.WORSE, Finding.NO_EVIDENCE)


def test_scores_are_weighed_beside_events() -> None:
    process = ScoreProcess(margin=0.05)
    for second in range(0, 120, 2):
        process.observe(0.9, candidate=False, at_s=second)
        process.observe(0.5, candidate=True, at_s=second)
    evidence = weighed(reading(ERROR, candidate=1, stable=9), score_reading(QUALITY, process))
    assert evidence.finding is Finding.WORSE
    assert evidence.sentence.startswith(
        "quality is 0.50 on the candidate and 0.90 on stable (60 and 60 scores, 0.05 lower is tolerated), e = "
    )


def test_scores_of_one_arm_only_say_so() -> None:
    process = ScoreProcess()
    process.observe(0.5, candidate=True, at_s=0.0)
    assert score_reading(QUALITY, process).claim == "no quality scores on both sides yet"


def test_overwhelming_evidence_stays_a_number() -> None:
    evidence = weighed(reading(ERROR, candidate=10**6, stable=0))
    assert math.isfinite(evidence.e_value)
    assert "e = 1e" in evidence.sentence
    assert "and stable does not" in evidence.sentence


def test_nothing_to_watch_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one kind"):
        weigh([], candidate_subjects=10)


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan])
def test_an_impossible_alpha_is_refused(alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        weigh([reading(ERROR, candidate=1, stable=1)], candidate_subjects=10, alpha=alpha)


def test_a_kind_without_weight_is_refused() -> None:
    with pytest.raises(InvalidInput, match="weight of odd"):
        weighed(reading(Kind("odd", 0.0), candidate=1, stable=1))
