"""Drive one rollout: look at what came, decide, and act in one transaction.

Nothing here is remembered that is not stored: after `kill -9` a new watch reads the rollout's records from its start
and goes on. The time that a step was watched is counted with the monotonic clock while somebody watches, so that a
wall clock that jumps moves no step; up to `STORE_IDLE_EVERY_S` of it is lost with a killed process.
"""

from __future__ import annotations

from typing import Any

from opsloop.core.caller import system
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.releases import approvals, holds, rollouts, routing
from opsloop.releases._tables import RolloutRow
from opsloop.releases.experiments import moves as experiment_moves
from opsloop.releases.experiments import reading
from opsloop.releases.experiments.service import is_over
from opsloop.releases.experiments.watch import ExperimentWatch
from opsloop.releases.holds import HoldKind
from opsloop.releases.models import RolloutStatus, RolloutStep
from opsloop.releases.moves import InShadow, Move, MoveKind, Position, next_move, next_move_in_shadow
from opsloop.releases.outcomes import Marks, Outcome, Outcomes, Wanted
from opsloop.releases.plan import SHADOW_STEP, Plan, from_stored
from opsloop.releases.settings import RolloutSettings
from opsloop.releases.shadow_watch import ShadowWatch
from opsloop.releases.watch import Watch

BY = system("rollouts")
STORE_EVERY_S = 1.0
"""How often the evidence of a rollout that only waits is stored while records come in, in seconds."""

STORE_IDLE_EVERY_S = 5.0
"""The same while none come."""


class Driver:
    """One rollout's watch, and how long it has been watching. `stored` counts how often the evidence was."""

    def __init__(self, workspace: Workspace, row: RolloutRow) -> None:
        plan = from_stored(row.plan)
        self.rollout = row.id
        self.watch = Watch(plan)
        self.shadow = ShadowWatch(plan, plan.shadow) if plan.shadow is not None else None
        self.experiment = _experiment(plan)
        self._outcomes = Outcomes(
            row.endpoint,
            row.id,
            self._wanted(),
            Marks(feedback=row.feedback_after, score=row.scores_after),
            error_scale=plan.analysis.error_scale,
        )
        self.stored = 0
        self._settle_s = workspace.section(RolloutSettings).rollout_settle_s
        self._seen_s = workspace.clock.monotonic_s()
        self._stored_s = float("-inf")
        self._has_news = False
        self.step = row.step
        self._unstored_s = 0.0
        self._settles_at_s: float | None = None

    @classmethod
    def of(cls, workspace: Workspace, rollout: str) -> Driver:
        """Raises: NotFound."""
        with workspace.reading(BY) as uow:
            return cls(workspace, rollouts.found(uow, rollout))

    def tick(self, workspace: Workspace) -> Move:
        """Look, and act when there is something to do; takes the write lock only then."""
        with workspace.reading(BY) as uow:
            row = rollouts.found(uow, self.rollout)
            move = self._decide(uow, row)
        is_quiet = move.kind in (MoveKind.WAIT, MoveKind.SETTLE)
        if is_quiet and not self._is_due(workspace.clock.monotonic_s()):
            return move
        with workspace.writing(BY) as uow:
            return self.advance(uow)

    def _is_due(self, now_s: float) -> bool:
        return now_s - self._stored_s >= (STORE_EVERY_S if self._has_news else STORE_IDLE_EVERY_S)

    def advance(self, uow: UnitOfWork) -> Move:
        """Decide on everything that is stored by now, and do it in this transaction."""
        row = rollouts.found(uow, self.rollout)
        rollouts.lock_endpoint(uow, row.endpoint)
        uow.session.refresh(row)
        move = self._decide(uow, row)
        if move.kind is not MoveKind.END or not row.evidence.get("final"):
            self._store(uow, row, move)
        self._act(uow, row, move)
        return move

    def _decide(self, uow: UnitOfWork, row: RolloutRow) -> Move:
        now_s = uow.clock.monotonic_s()
        for outcome in self._outcomes.new(uow):
            self._has_news = True
            self._take(outcome, in_shadow=row.step == SHADOW_STEP)
        self._pass_time(row, now_s)
        if RolloutStatus(row.status).is_over:
            return self._settle(row, now_s)
        return self._permitted(uow, row, self._next(row))

    def _wanted(self) -> Wanted:
        watches = (self.watch, self.shadow, self.experiment)
        return frozenset().union(*(each.wanted for each in watches if each is not None))

    def _take(self, outcome: Outcome, *, in_shadow: bool) -> None:
        self.watch.take(outcome)
        if self.shadow is not None and in_shadow:
            self.shadow.take(outcome)
        if self.experiment is not None:
            self.experiment.take(outcome)

    def _next(self, row: RolloutRow) -> Move:
        if not row.has_begun:
            return self._first(row)
        if self.shadow is not None and row.step == SHADOW_STEP:
            return next_move_in_shadow(self._in_shadow(row), self.shadow.evidence, self.shadow.readiness)
        if self.experiment is not None:
            return self._next_of(row, self.experiment)
        position = self._position(row)
        return next_move(position, self.watch.evidence, self.watch.readiness(position.step))

    def _next_of(self, row: RolloutRow, experiment: ExperimentWatch) -> Move:
        users, metrics = experiment.users, experiment.metrics
        return experiment_moves.next_move(
            experiment.plan,
            reading.outcome(users, metrics),
            reading.sentence(row.number, row.stable_number, users, metrics, experiment.plan.alpha),
            self.watch.evidence,
            is_over=is_over(experiment.plan, row.watched_s + self._unstored_s, users),
            is_paused=row.status == RolloutStatus.PAUSED,
        )

    def _first(self, row: RolloutRow) -> Move:
        if row.status == RolloutStatus.PAUSED:
            return Move(MoveKind.WAIT, "paused before it began")
        if rollouts.takes_over_at_once(row, self.watch.plan):
            return Move(MoveKind.PROMOTE, rollouts.why_at_once(row))
        return Move(MoveKind.START, self._opening(row))

    def _permitted(self, uow: UnitOfWork, row: RolloutRow, move: Move) -> Move:
        """The move, or what comes in its place while something holds it."""
        place = self._place(row, move)
        held = holds.of(uow, row, self.watch.plan, place) if move.gives_traffic else None
        if held is None:
            return move
        kinds = {HoldKind.ASK: MoveKind.ASK, HoldKind.WAIT: MoveKind.WAIT, HoldKind.EXPIRED: MoveKind.EXPIRE}
        sentence = move.sentence if held.kind is HoldKind.ASK else f"{held.sentence}; {move.sentence}"
        return Move(kinds[held.kind], sentence, place)

    def _place(self, row: RolloutRow, move: Move) -> int:
        """Where in the plan a move leads."""
        plan = self.watch.plan
        if not row.has_begun:
            return plan.first_place
        return row.step + 1 if move.kind is MoveKind.STEP else plan.last_place

    def _pass_time(self, row: RolloutRow, now_s: float) -> None:
        passed_s, self._seen_s = now_s - self._seen_s, now_s
        if row.step != self.step:
            self.step, self._unstored_s = row.step, 0.0
        elif row.status == RolloutStatus.RUNNING:
            self._unstored_s += passed_s

    def _settle(self, row: RolloutRow, now_s: float) -> Move:
        """Count what was still under way when the rollout ended, for a while."""
        if self._settles_at_s is None:
            self._settles_at_s = now_s + self._settle_s
        is_settled = row.evidence.get("final") or now_s >= self._settles_at_s
        return Move(MoveKind.END if is_settled else MoveKind.SETTLE, row.reason)

    def _position(self, row: RolloutRow) -> Position:
        return Position(
            steps=self.watch.plan.steps,
            index=row.step,
            watched_s=row.watched_s + self._unstored_s,
            is_paused=row.status == RolloutStatus.PAUSED,
        )

    def _in_shadow(self, row: RolloutRow) -> InShadow:
        plan = self.watch.plan
        assert plan.shadow is not None
        return InShadow(
            min_duration_s=plan.shadow.min_duration_s,
            watched_s=row.watched_s + self._unstored_s,
            is_paused=row.status == RolloutStatus.PAUSED,
            has_steps=bool(plan.steps),
        )

    def _opening(self, row: RolloutRow) -> str:
        shadow = self.watch.plan.shadow
        if shadow is not None:
            copied = f"{100 * shadow.sample:g} % of requests are copied to release {row.number}"
            return f"{copied}, release {row.stable_number} answers them"
        first = self.watch.plan.steps[0]
        return f"release {row.number} gets {100 * first.share:g} % of users beside release {row.stable_number}"

    def _store(self, uow: UnitOfWork, row: RolloutRow, move: Move) -> None:
        row.watched_s += self._unstored_s
        self._unstored_s = 0.0
        shadow = {"shadow": self.shadow.figures()} if self.shadow is not None else {}
        if self.shadow is not None and self.shadow.is_spent and not routing.is_spent(row):
            routing.bump(uow)  # gateways make no more copies
        experiment = {"experiment": self.experiment.figures()} if self.experiment is not None else {}
        row.evidence = {
            **self.watch.figures(),
            **shadow,
            **experiment,
            **self._progress(row),
            "final": move.kind is MoveKind.END,
        }
        if move.kind is MoveKind.WAIT:
            row.reason = move.sentence
        self._stored_s, self._has_news = uow.clock.monotonic_s(), False
        self.stored += 1

    def _progress(self, row: RolloutRow) -> dict[str, Any]:
        plan = self.watch.plan
        if self.shadow is not None and plan.shadow is not None and row.step == SHADOW_STEP:
            shown = self.shadow.readiness
            step = RolloutStep(0.0, plan.shadow.min_duration_s, plan.shadow.min_pairs)
        elif not plan.steps:
            return {}
        else:
            step = plan.steps[row.step]
            shown = self.watch.readiness(step)
        return {
            "step": {
                "share": step.share,
                "watched_s": round(row.watched_s, 1),
                "min_duration_s": step.min_duration_s,
                "subjects": shown.subjects,
                "min_subjects": step.min_subjects,
                "excess_upper": shown.excess_upper,
                "sentence": shown.sentence,
            }
        }

    def _act(self, uow: UnitOfWork, row: RolloutRow, move: Move) -> None:
        match move.kind:
            case MoveKind.START if self.shadow is not None:
                rollouts.begin_shadow(uow, row, reason=move.sentence)
            case MoveKind.START:
                rollouts.take_step(uow, row, 0, reason=move.sentence)
            case MoveKind.STEP:
                rollouts.take_step(uow, row, row.step + 1, reason=move.sentence)
            case MoveKind.PROMOTE:
                rollouts.let_take_over(uow, row, reason=move.sentence)
            case MoveKind.ROLL_BACK:
                rollouts.take_back(uow, row, reason=move.sentence, by_analysis=True)
            case MoveKind.ASK:
                approvals.ask(uow, row, move.place, sentence=move.sentence)
            case MoveKind.HOLD:
                rollouts.hold(uow, row, reason=move.sentence)
            case MoveKind.GIVE_UP:
                rollouts.give_up(uow, row, reason=move.sentence)
            case MoveKind.EXPIRE:
                approvals.expire(uow, row, sentence=move.sentence)
            case _:
                return
        self.step = row.step


def _experiment(plan: Plan) -> ExperimentWatch | None:
    if plan.experiment is None:
        return None
    return ExperimentWatch(plan.experiment, share=plan.steps[0].share)
