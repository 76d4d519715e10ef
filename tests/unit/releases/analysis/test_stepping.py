from __future__ import annotations

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.evidence import Arm
from opsloop.releases.analysis.stepping import Counts, StepRule, readiness

RULE = StepRule(minimum_subjects=50, tolerance=0.05, alpha=0.05)


def counts(candidate: tuple[int, int], stable: tuple[int, int]) -> Counts:
    return Counts(Arm(*candidate), Arm(*stable))


def test_silence_never_promotes() -> None:
    ready = readiness(RULE, {"error": counts((0, 0), (0, 0))}, share=0.1)
    assert not ready.is_ready
    assert ready.sentence == "not enough evidence: 0 candidate users in this step, 50 are needed"


def test_a_quiet_candidate_steps_up_once_an_excess_is_ruled_out() -> None:
    early = readiness(RULE, {"error": counts((60, 0), (540, 0))}, share=0.1)
    later = readiness(RULE, {"error": counts((120, 0), (1080, 0))}, share=0.1)
    assert (early.is_ready, later.is_ready) == (False, True)
    assert early.sentence == (
        "not enough evidence: after 60 candidate users the candidate's error rate may exceed stable's by up to "
        "8 percentage points, 5 are tolerated"
    )
    assert later.sentence.startswith("enough evidence: after 120 candidate users")


def test_a_bound_within_tolerance_still_needs_the_minimum_of_subjects() -> None:
    rule = StepRule(minimum_subjects=500, tolerance=0.05)
    assert not readiness(rule, {"error": counts((120, 0), (1080, 0))}, share=0.1).is_ready


def test_the_worst_kind_decides() -> None:
    seen = {"error": counts((200, 0), (1800, 0)), "slow": counts((200, 20), (1800, 20))}
    ready = readiness(RULE, seen, share=0.1)
    assert not ready.is_ready
    assert ready.kind == "slow"


def test_a_shared_outage_asks_for_more_evidence_instead_of_promoting() -> None:
    ready = readiness(RULE, {"error": counts((120, 60), (1080, 540))}, share=0.1)
    assert not ready.is_ready


def test_without_stable_traffic_there_is_nothing_to_compare_with() -> None:
    assert not readiness(RULE, {"error": counts((5000, 0), (0, 0))}, share=1.0).is_ready


def test_no_kind_to_watch_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one kind"):
        readiness(RULE, {}, share=0.1)


@pytest.mark.parametrize(("minimum", "tolerance", "alpha"), [(0, 0.05, 0.05), (10, 0.0, 0.05), (10, 0.05, 1.0)])
def test_an_impossible_rule_is_refused(minimum: int, tolerance: float, alpha: float) -> None:
    with pytest.raises(InvalidInput):
        StepRule(minimum_subjects=minimum, tolerance=tolerance, alpha=alpha)
