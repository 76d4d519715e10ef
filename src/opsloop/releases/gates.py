"""The gate at the entry: what an evaluation says about a flow version that wants to be released."""

from __future__ import annotations

from opsloop.core.work import UnitOfWork
from opsloop.evaluation.verdicts import Verdict
from opsloop.releases.errors import GateNotMet


def admit(uow: UnitOfWork, endpoint: str, *, flow: str, evaluation: str | None, stable_gate: str | None) -> str | None:
    """The verdict with which a flow version is let in; None when it comes without an evaluation.

    A release may come without one only while the stable release has none either: an endpoint that was once behind a
    gate stays behind it.

    Args:
        stable_gate: the verdict with which the stable release was let in.
    Raises: NotFound, GateNotMet.
    """
    if evaluation is None:
        if stable_gate is None:
            return None
        raise GateNotMet(
            flow=flow, endpoint=endpoint, reason="its stable release passed a gate; name an evaluation run of this flow"
        )
    from opsloop.evaluation import service as evaluations

    run = evaluations.get(uow, evaluation)
    if run.flow != flow:
        raise GateNotMet(flow=flow, endpoint=endpoint, reason=f"evaluation {run.id} is of {run.flow}")
    report = evaluations.gate_report(uow, run.id)
    if report is None:
        raise GateNotMet(
            flow=flow,
            endpoint=endpoint,
            reason=f"the gate of {run.id} was not checked; run `opsloop gate check {run.id}`",
        )
    if report.verdict is not Verdict.PASS:
        raise GateNotMet(flow=flow, endpoint=endpoint, reason=report.sentence)
    return report.verdict.value
