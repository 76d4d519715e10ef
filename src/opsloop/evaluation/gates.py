"""The gate: whether the rows of a run show what its experiment demands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from opsloop.core.caller import Role
from opsloop.core.errors import ExtraNeeded
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service
from opsloop.evaluation._tables import GateReportRow
from opsloop.evaluation.asked import is_of
from opsloop.evaluation.bare_figures import bare_decision
from opsloop.evaluation.default_gate import default_gate, default_notes
from opsloop.evaluation.errors import NoGate, NotComparable, RunNotDone
from opsloop.evaluation.events import GateDecided
from opsloop.evaluation.gate_cases import Compared, case_of, compared, spread_over_slices
from opsloop.evaluation.gate_figures import FigureRules
from opsloop.evaluation.judges.in_runs import barred, judges_of
from opsloop.evaluation.models import GateReport, GateSpec, RowRecord, Run, RunStatus
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.verdict_sentence import sentence
from opsloop.evaluation.verdicts import Decision, Verdict, overall

STABLE = "stable"


def check(uow: UnitOfWork, run: Run | str, baseline: Run | str | None = None) -> GateReport:
    """Check the gate of a run and keep the report. Raises: as `decide`."""
    return keep(uow, decide(uow, run, baseline))


def decide(uow: UnitOfWork, run: Run | str, baseline: Run | str | None = None) -> GateReport:
    """What the gate of a run says; it reads only, because many rows take seconds.

    Rules that compare do so on the same rows of the baseline. Without one, which is how an endpoint's first release
    starts, they wait: the report names them, and the others decide. An experiment that declares no gate has the default
    one, which needs a baseline.

    Args:
        baseline: the run to compare with, which for `baseline: stable` is that of the endpoint's stable release; unset:
            the run the experiment names, if it names one.
    Raises: RunMissing, RunNotDone, NoGate, NotComparable, ExtraNeeded.
    """
    uow.by.require(Role.DEVELOPER)
    candidate = done(uow, run)
    experiment = service.experiment_of(uow, candidate.id)
    beside = _beside(uow, candidate, experiment.gate, baseline)
    records = service.rows(uow, candidate.id)
    theirs = service.rows(uow, beside.id) if beside is not None else []
    spec = experiment.gate if experiment.gate is not None else default_gate([*records, *theirs])
    rows = compared(spec, candidate, records, beside, theirs)
    withheld = barred(judges_of(uow, experiment, records))
    figures = FigureRules(experiment, spec, candidate, records, beside, theirs)
    undeclared = withheld if experiment.gate is None else {}
    wanted = [directed(rule, candidate) for rule in spec.rules if _why_withheld(rule, undeclared) is None]
    asked, left_out = spread_over_slices(wanted, spec, rows, figures.rows_of)
    waiting = tuple(rule for rule in asked if rule.compares and beside is None)
    rules = [rule for rule in asked if rule not in waiting]
    _check_measured(candidate, beside, rules, theirs)
    decisions = [_withheld(each, withheld) for each in _decided(candidate, rules, spec, rows, figures)]
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
        notes=(
            *(default_notes(spec, candidate.metrics) if experiment.gate is None else ()),
            *rows.notes,
            *left_out,
            *(f"{why}; no rule is on {metric}" for metric, why in undeclared.items()),
        ),
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
            notes=list(report.notes),
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


def done(uow: UnitOfWork, run: Run | str) -> Run:
    """The run, finished. Raises: RunMissing, RunNotDone."""
    found = service.get(uow, run) if isinstance(run, str) else run
    if found.status is not RunStatus.DONE:
        raise RunNotDone(run=found.id, status=found.status.value)
    return found


def _beside(uow: UnitOfWork, candidate: Run, declared: GateSpec | None, baseline: Run | str | None) -> Run | None:
    """The run to compare with. Raises: NoGate when neither a gate nor a baseline is named."""
    if baseline is None and declared is None:
        raise NoGate(experiment=candidate.experiment, run=candidate.id)
    if baseline is None and declared is not None and declared.baseline != STABLE:
        baseline = declared.baseline
    return done(uow, baseline) if baseline is not None else None


def directed(rule: Rule, run: Run) -> Rule:
    """The rule with the metric's own direction: a latency is better when it is lower."""
    metric = run.metrics.get(rule.metric)
    return rule if metric is None else replace(rule, higher_is_better=metric.higher_is_better)


def _check_measured(candidate: Run, baseline: Run | None, rules: Sequence[Rule], theirs: Sequence[RowRecord]) -> None:
    """Raises: NotComparable when a rule compares a metric that the baseline was not measured by."""
    if baseline is None:
        return
    known = {*baseline.metrics, *(metric for each in theirs for metric in each.scores)}
    for rule in rules:
        if rule.compares and rule.metric not in known:
            reason = f"the baseline was not measured by {rule.metric}; run it again"
            raise NotComparable(run=candidate.id, baseline=baseline.id, reason=reason)


def _decided(run: Run, rules: Sequence[Rule], spec: GateSpec, rows: Compared, figures: FigureRules) -> list[Decision]:
    """The decisions in the order of the rules; figures of evaluation flows over all rows are compared as they are."""
    measured = {metric for row in rows.rows for metric in row.values}
    bare = {rule: run.aggregates[rule.metric] for rule in rules if _is_bare(rule, run, measured)}
    try:
        from opsloop.evaluation.statistics.decide import decide_cases  # numpy, an extra
    except ImportError as error:
        raise ExtraNeeded(what="checking a gate", extra="evaluation") from error
    cases = [
        figures.case(rule, rows) if figures.speak_of(rule) else case_of(rule, spec, rows)
        for rule in rules
        if rule not in bare
    ]
    judged = iter(decide_cases(cases, alpha=spec.alpha))
    return [bare_decision(rule, bare[rule]) if rule in bare else next(judged) for rule in rules]


def _withheld(decision: Decision, barred: Mapping[str, str]) -> Decision:
    """The decision, undecided where the metric is that of a judge that may not gate."""
    why = _why_withheld(decision.rule, barred)
    if why is None:
        return decision
    return replace(decision, verdict=Verdict.INCONCLUSIVE, held=why, rows_that_would_decide=None)


def _why_withheld(rule: Rule, barred: Mapping[str, str]) -> str | None:
    return next((why for metric, why in barred.items() if is_of(rule.metric, metric)), None)


def _is_bare(rule: Rule, run: Run, measured: set[str]) -> bool:
    return rule.metric not in measured and rule.metric in run.aggregates
