"""The judges of a run: which ones measured it, what they were asked, whether they may gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation.evaluators.judging.evaluator import spec_of
from opsloop.evaluation.evaluators.judging.spec import JudgeSpec
from opsloop.evaluation.judges import service
from opsloop.evaluation.judges.correction import corrected
from opsloop.evaluation.judges.models import Calibration, CalibrationStatus, Measured
from opsloop.evaluation.models import Experiment, RowRecord


@dataclass(frozen=True, slots=True)
class JudgeOfRun:
    """A judge as a run used it.

    Attributes:
        judge: the version, such as `helpful@2`; empty for one that the experiment declares itself.
        calibration: the last one that ended, of exactly this judge; None when there is none.
        why: why it may not gate, as a clause; empty when it may.
        corrected: what people would have said on the run's rows, out of the judge's scores and the calibration; for
            judges that score rows themselves.
        cost_usd: of its calls in this run; None when it is not known.
    """

    metric: str
    judge: str
    digest: str
    scale: str
    model: str | None
    min_kappa: float
    answered_by: tuple[str, ...]
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    calibration: Calibration | None
    may_gate: bool
    why: str
    corrected: Measured | None


def judges_of(uow: UnitOfWork, experiment: Experiment, records: Sequence[RowRecord]) -> list[JudgeOfRun]:
    """The judges that an experiment asks, in its order."""
    found = []
    for place, use in enumerate(experiment.evaluators):
        spec = spec_of(use, f"evaluators[{place}]")
        if spec is not None:
            named = str(use.options.get("judge", ""))
            found.append(_judge(uow, use.metric, named, spec, records, scores_rows=use.name == "judge"))
    return found


def barred(judges: Sequence[JudgeOfRun]) -> Mapping[str, str]:
    """By metric, why a gate may not count on it."""
    return {
        each.metric: f"{each.judge or 'this judge'} may not gate: {each.why}" for each in judges if not each.may_gate
    }


def _judge(
    uow: UnitOfWork, metric: str, named: str, spec: JudgeSpec, records: Sequence[RowRecord], *, scores_rows: bool
) -> JudgeOfRun:
    asked = [each.asked[metric] for each in records if metric in each.asked]
    costs = [each.cost_usd for each in asked]
    answered_by = tuple(sorted({each.by for each in asked if each.by}))
    calibrations = service.calibrations(uow, spec.digest)
    last = next((each for each in calibrations if each.status is CalibrationStatus.DONE), None)
    why = service.why_not(calibrations, spec.min_kappa) or _other_model(answered_by, last)
    scores = [score for each in records if (score := each.scores.get(metric)) is not None]
    table = last.agreement.table if last is not None and last.agreement is not None else ()
    return JudgeOfRun(
        metric=metric,
        judge=named,
        digest=spec.digest,
        scale=str(spec.scale),
        model=spec.model,
        min_kappa=spec.min_kappa,
        answered_by=answered_by,
        calls=sum(each.calls for each in asked),
        prompt_tokens=sum(each.prompt_tokens for each in asked),
        completion_tokens=sum(each.completion_tokens for each in asked),
        cost_usd=None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None),
        calibration=last,
        may_gate=not why,
        why=why,
        corrected=corrected(scores, table, spec.scale) if scores_rows else None,
    )


def _other_model(answered_by: Sequence[str], last: Calibration | None) -> str:
    """A server may answer by another model under the same name."""
    known = last.answered_by if last is not None else ()
    other = [each for each in answered_by if known and each not in known]
    if not other:
        return ""
    return f"{', '.join(other)} answered in this run, and it was calibrated with {', '.join(known)}; calibrate it again"
