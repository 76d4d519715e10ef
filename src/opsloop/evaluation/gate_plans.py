"""How many rows the gate of an experiment needs, told from runs that were made."""

from __future__ import annotations

from opsloop.core.caller import Role
from opsloop.core.errors import ExtraNeeded
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import gates, service
from opsloop.evaluation.default_gate import default_gate
from opsloop.evaluation.gate_cases import case_of, compared, spread_over_slices
from opsloop.evaluation.models import GateSpec
from opsloop.evaluation.plans import GatePlan


def plan(uow: UnitOfWork, run: str, baseline: str | None = None, spec: GateSpec | None = None) -> GatePlan:
    """How many rows each rule needs.

    Args:
        run: a run of the experiment, whose rows say how far they spread.
        baseline: a run to pair it with; the closer the two agree row by row, the fewer rows a margin takes.
        spec: the gate to plan; unset: the one that the run's experiment declares, or the default.
    Raises: RunMissing, RunNotDone, NotComparable, InvalidInput, ExtraNeeded.
    """
    uow.by.require(Role.VIEWER)
    candidate = gates.done(uow, run)
    beside = gates.done(uow, baseline) if baseline is not None else None
    records = service.rows(uow, candidate.id)
    theirs = service.rows(uow, beside.id) if beside is not None else []
    spec = spec or service.experiment_of(uow, candidate.id).gate or default_gate([*records, *theirs])
    rows = compared(spec, candidate, records, beside, theirs)
    rules, _ = spread_over_slices([gates.directed(rule, candidate) for rule in spec.rules], spec, rows)
    try:
        from opsloop.evaluation.statistics.planning import planned  # numpy, an extra
    except ImportError as error:
        raise ExtraNeeded(what="planning a gate", extra="evaluation") from error
    taken = {metric for row in rows.rows for metric in row.values}
    return GatePlan(
        run=candidate.id,
        baseline=beside.id if beside is not None else None,
        alpha=spec.alpha,
        rules=tuple(
            planned(case_of(rule, spec, rows, is_alone=beside is None), alpha=spec.alpha)
            for rule in rules
            if rule.metric in taken
        ),
    )
