"""What the rollout of an experiment does next: a pure decision."""

from __future__ import annotations

from opsloop.releases.analysis.evidence import Evidence, Finding
from opsloop.releases.experiments.models import Outcome
from opsloop.releases.moves import Move, MoveKind
from opsloop.releases.plan import ExperimentPlan


def next_move(
    plan: ExperimentPlan, found: Outcome, sentence: str, evidence: Evidence, *, is_over: bool, is_paused: bool
) -> Move:
    """Harm ends it at once, also in a pause. Only a win promotes, and only when the plan says so.

    Args:
        found: the outcome so far, and `sentence` its words.
        evidence: of harm, as in a canary.
    """
    if evidence.finding is Finding.WORSE:
        return Move(MoveKind.ROLL_BACK, evidence.sentence)
    if not is_over:
        return Move(MoveKind.WAIT, f"experiment {'paused' if is_paused else 'under way'}: {sentence}")
    said = f"experiment over: {sentence}"
    if found is Outcome.LOST:
        return Move(MoveKind.ROLL_BACK, said)
    if found is Outcome.WON and plan.on_win == "promote":
        return Move(MoveKind.WAIT if is_paused else MoveKind.PROMOTE, said)
    if found is Outcome.WON or plan.otherwise == "hold":
        return Move(MoveKind.WAIT if is_paused else MoveKind.HOLD, f"{said}; promote it or take it back")
    return Move(MoveKind.WAIT if is_paused else MoveKind.GIVE_UP, said)
