"""The gate at the entry: what an evaluation says about a version that wants to be released."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.gates import STABLE
from opsloop.evaluation.models import GateReport, Run
from opsloop.evaluation.verdicts import Verdict
from opsloop.releases._tables import ReleaseRow
from opsloop.releases.errors import GateNotMet
from opsloop.releases.served import Served


def admit(
    uow: UnitOfWork, endpoint: str, version: Served, *, evaluation: str | None, stable: ReleaseRow | None
) -> str | None:
    """The verdict with which a version is let in; None when it comes without an evaluation.

    A release may come without one only while the stable release has none either: an endpoint that was once behind a
    gate stays behind it.

    Raises: RunMissing, GateNotMet.
    """
    objection = _objection(uow, version, evaluation, stable if stable is not None and stable.evaluation else None)
    if objection is not None:
        raise GateNotMet(version=version.ref, endpoint=endpoint, reason=objection)
    return None if evaluation is None else Verdict.PASS.value


def _objection(uow: UnitOfWork, version: Served, evaluation: str | None, stable: ReleaseRow | None) -> str | None:
    """Why the gate stays shut, or None; `stable` is the stable release when it was evaluated."""
    if evaluation is None:
        came = f"its stable release came through a gate; name an evaluation of {version.ref}, as it did"
        return came if stable is not None else None
    if stable is not None and (stable.serves_digest, stable.evaluation) == (version.digest, evaluation):
        return None  # what serves already, with another config
    run = evaluations.get(uow, evaluation)
    if run.flow_digest != version.digest:
        return f"evaluation {run.id} is of {run.flow}, which is another {version.kind}"
    if run.variant:
        return f"evaluation {run.id} ran {run.variant}, and a release serves the defaults of its flow"
    report = evaluations.gate_report(uow, run.id)
    if report is None:
        return f"its gate was not checked yet; run `opsloop gate check {run.id}`"
    if report.verdict is not Verdict.PASS:
        return report.sentence
    if stable is not None and not _compared_with(uow, run, report, stable):
        check = f"opsloop gate check {run.id} --baseline {stable.evaluation}"
        return f"its gate was not checked beside the stable release; run `{check}`"
    return None


def _compared_with(uow: UnitOfWork, run: Run, report: GateReport, stable: ReleaseRow) -> bool:
    """Whether every rule was decided, and those that mean the stable release were held against a run of what it serves.

    Any run of that version will do: when the questions have changed since its release, it is evaluated again on them.
    """
    gate = evaluations.experiment_of(uow, run.id).gate
    if report.waiting:
        return False
    if gate is not None and (gate.baseline != STABLE or not any(rule.compares for rule in gate.rules)):
        return True
    return report.baseline is not None and evaluations.get(uow, report.baseline).flow_digest == stable.serves_digest
