"""The gate: whether the rows of a run show what its experiment demands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from opsloop.core.caller import Role
from opsloop.core.errors import ExtraNeeded
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service
from opsloop.evaluation._tables import GateReportRow
from opsloop.evaluation.errors import NoGate, NotComparable, RunNotDone
from opsloop.evaluation.events import GateDecided
from opsloop.evaluation.models import GateReport, GateSpec, Run, RunStatus
from opsloop.evaluation.scoring import Vectors, vectors
from opsloop.evaluation.verdict_sentence import sentence
from opsloop.evaluation.verdicts import Decision, Rule, overall

STABLE = "stable"


def check(uow: UnitOfWork, run: Run | str, baseline: Run | str | None = None) -> GateReport:
    """Check the gate of a run and keep the report. Raises: as `decide`."""
    return keep(uow, decide(uow, run, baseline))


def decide(uow: UnitOfWork, run: Run | str, baseline: Run | str | None = None) -> GateReport:
    """What the gate of a run says; it reads only, because many rows take seconds.

    Rules with a margin compare with the baseline on the same rows. Without one, which is how an endpoint's first
    release starts, they wait: the report names them, and the others decide.

    Args:
        baseline: the run to compare with, which for `baseline: stable` is that of the endpoint's stable release; unset:
            the run the experiment names, if it names one.
    Raises: RunMissing, RunNotDone, NoGate, NotComparable, ExtraNeeded.
    """
    uow.by.require(Role.DEVELOPER)
    candidate = _done(uow, run)
    experiment = service.experiment_of(uow, candidate.id)
    spec = experiment.gate
    if spec is None:
        raise NoGate(experiment=candidate.experiment, run=candidate.id)
    if baseline is None and spec.baseline != STABLE:
        baseline = spec.baseline
    beside = _comparable(candidate, _done(uow, baseline)) if baseline is not None else None
    rules = [_directed(rule, candidate) for rule in spec.rules]
    waiting = tuple(rule for rule in rules if rule.margin is not None and beside is None)
    decisions = _decided(uow, [rule for rule in rules if rule not in waiting], candidate, beside, spec, experiment.seed)
    verdict = overall(decisions)
    return GateReport(
        id=uow.ids.new("gate"),
        run=candidate.id,
        baseline=beside.id if beside is not None else None,
        verdict=verdict,
        sentence=sentence(verdict, decisions, waiting, alpha=spec.alpha),
        alpha=spec.alpha,
        decisions=tuple(decisions),
        waiting=waiting,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )


def keep(uow: UnitOfWork, report: GateReport) -> GateReport:
    """Make a report the run's verdict: stored, audited, told to who listens."""
    uow.by.require(Role.DEVELOPER)
    uow.session.add(
        GateReportRow(
            id=report.id,
            run=report.run,
            baseline=report.baseline,
            verdict=report.verdict.value,
            sentence=report.sentence,
            alpha=report.alpha,
            decisions=[asdict(each) for each in report.decisions],
            waiting=[asdict(each) for each in report.waiting],
            created_at=report.created_at,
            created_by=report.created_by,
        )
    )
    row = service.row_of(uow, report.run)
    row.verdict = report.verdict.value
    verdict, said = report.verdict.value, report.sentence
    uow.audit("gate.decided", f"evaluation/{report.run}", verdict=verdict, sentence=said, baseline=report.baseline)
    uow.emit(GateDecided(report.run, row.flow, report.baseline, verdict, said))
    return report


def _done(uow: UnitOfWork, run: Run | str) -> Run:
    found = service.get(uow, run) if isinstance(run, str) else run
    if found.status is not RunStatus.DONE:
        raise RunNotDone(run=found.id, status=found.status.value)
    return found


def _comparable(candidate: Run, baseline: Run) -> Run:
    ours, theirs = ([each.digest for each in run.datasets] for run in (candidate, baseline))
    if ours != theirs:
        reason = (
            f"it ran on {candidate.dataset}, the baseline on {baseline.dataset}; evaluate the baseline on the same rows"
        )
        raise NotComparable(run=candidate.id, baseline=baseline.id, reason=reason)
    return baseline


def _directed(rule: Rule, run: Run) -> Rule:
    """The rule with the metric's own direction: a latency is better when it is lower."""
    metric = run.metrics.get(rule.metric)
    return rule if metric is None else replace(rule, higher_is_better=metric.higher_is_better)


def _decided(
    uow: UnitOfWork, rules: Sequence[Rule], candidate: Run, baseline: Run | None, spec: GateSpec, seed: int
) -> list[Decision]:
    if not rules:
        return []
    try:
        from opsloop.evaluation.statistics.decide import decide_all  # numpy, an extra
    except ImportError as error:
        raise ExtraNeeded(what="checking a gate", extra="evaluation") from error
    ours = vectors(service.rows(uow, candidate.id), cluster_by=spec.cluster_by)
    theirs = vectors(service.rows(uow, baseline.id)) if baseline is not None else None
    beside = _beside(rules, candidate, baseline, theirs)
    return decide_all(rules, ours.metrics, beside, alpha=spec.alpha, clusters=ours.clusters, seed=seed)


def _beside(
    rules: Sequence[Rule], candidate: Run, baseline: Run | None, theirs: Vectors | None
) -> Mapping[str, list[float | None]] | None:
    """The baseline's values of the metrics that are compared; the others are judged on all the candidate's rows."""
    if baseline is None or theirs is None:
        return None
    wanted = [rule.metric for rule in rules if rule.margin is not None]
    for metric in wanted:
        if metric not in theirs.metrics:
            raise NotComparable(
                run=candidate.id,
                baseline=baseline.id,
                reason=f"the baseline was not measured by {metric}; run it again",
            )
    return {metric: theirs.metrics[metric] for metric in wanted}
