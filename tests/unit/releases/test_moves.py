"""What a rollout does next."""

from __future__ import annotations

import pytest

from opsloop.releases.analysis.evidence import Arm, Evidence, Finding
from opsloop.releases.analysis.stepping import Readiness
from opsloop.releases.models import RolloutStep
from opsloop.releases.moves import MoveKind, Position, next_move

STEPS = (RolloutStep(0.1, 60.0, 50), RolloutStep(0.5, 60.0, 50))


def evidence(finding: Finding) -> Evidence:
    return Evidence(finding, f"it is {finding}", "error", 2.0, 100.0, Arm(), Arm(), None, ())


def ready(is_ready: bool) -> Readiness:
    return Readiness(is_ready, "enough" if is_ready else "not enough evidence: 12 of 50", "error", 12, 0.2)


def at(index: int = 0, *, watched_s: float = 61.0, is_paused: bool = False) -> Position:
    return Position(STEPS, index, watched_s, is_paused)


@pytest.mark.parametrize("is_ready", [False, True])
@pytest.mark.parametrize("position", [at(), at(1), at(watched_s=0.0), at(is_paused=True)])
def test_evidence_of_harm_rolls_back_whatever_else_is_known(position: Position, is_ready: bool) -> None:
    move = next_move(position, evidence(Finding.WORSE), ready(is_ready))
    assert (move.kind, move.sentence) == (MoveKind.ROLL_BACK, "it is worse")


def test_a_step_waits_for_its_time() -> None:
    move = next_move(at(watched_s=59.9), evidence(Finding.NO_EVIDENCE), ready(True))
    assert move.kind is MoveKind.WAIT
    assert move.sentence == "step 1 of 2 (10 % of users): watched for 60 of 60 s; enough"


def test_a_step_waits_for_evidence_and_says_how_much_is_there() -> None:
    move = next_move(at(watched_s=1e9), evidence(Finding.NOT_ENOUGH), ready(False))
    assert (move.kind, "12 of 50" in move.sentence) == (MoveKind.WAIT, True)


def test_a_passed_step_leads_to_the_next_and_the_last_to_promotion() -> None:
    assert next_move(at(0), evidence(Finding.NO_EVIDENCE), ready(True)).kind is MoveKind.STEP
    assert next_move(at(1), evidence(Finding.NO_EVIDENCE), ready(True)).kind is MoveKind.PROMOTE


def test_a_pause_holds_a_step_that_is_passed() -> None:
    assert next_move(at(is_paused=True), evidence(Finding.NO_EVIDENCE), ready(True)).kind is MoveKind.WAIT
