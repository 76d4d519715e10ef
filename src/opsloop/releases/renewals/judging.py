"""Have both models answer the same rows, and let the gate decide between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import service as datasets
from opsloop.datasets.snapshot import Snapshot
from opsloop.evaluation import gates as gate
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.models import GateReport
from opsloop.evaluation.verdicts import Verdict
from opsloop.models import service as models
from opsloop.models.models import ModelVersion
from opsloop.releases.errors import RolloutGoesOn
from opsloop.releases.renewal_policy import Approve, Policy
from opsloop.releases.renewals import course, lessons, trial
from opsloop.releases.renewals._tables import RenewalRow
from opsloop.releases.renewals.events import RenewalNeedsApproval
from opsloop.releases.renewals.models import RenewalState
from opsloop.releases.renewals.releasing import release_challenger

RETRY_S = 15.0
"""How long to wait before a release is tried again that another one held up, in seconds."""


def prepare(workspace: Workspace, renewal: str) -> None:
    """Choose the rows to judge by and start both evaluations. Safe to repeat."""
    with workspace.reading(course.BY) as uow:
        row = course.found(uow, renewal)
        policy = course.policy_of(row)
        champion, challenger = _models(uow, row)
        chosen = trial.Trial() if policy.dataset is not None else _chosen(uow, policy, champion, challenger)
    snapshots = {part: _snapshot(workspace, rows) for part, rows in chosen.parts.items()}
    with workspace.writing(course.BY) as uow:
        row = course.locked(uow, renewal)
        if row.state != RenewalState.PREPARING:
            return
        if policy.dataset is None and not snapshots and champion is None:
            said = f"nobody knows what {row.challenger} learned from, so no gate could be asked"
            course.tell(uow, row, "ungated", said)
            release_challenger(uow, row)
            return
        if policy.dataset is None and not snapshots:
            why = (
                f"nobody knows what {row.challenger} learned from, so there are no rows to judge it by; name a dataset"
            )
            course.end(uow, row, RenewalState.REJECTED, f"{why} in the policy")
            return
        named = _registered(uow, row, policy, snapshots)
        _evaluate(uow, row, policy, champion, challenger, named, chosen)


def judge(workspace: Workspace, renewal: str) -> None:
    """Check the gate and act on its verdict. Safe to repeat."""
    with workspace.reading(course.BY) as uow:
        row = course.found(uow, renewal)
        report = None
        if row.gate is None and row.challenger_run is not None:
            report = gate.decide(uow, row.challenger_run, row.champion_run)
    with workspace.writing(course.BY) as uow:
        row = course.locked(uow, renewal)
        if row.state != RenewalState.JUDGING:
            return
        if row.gate is None and report is not None:
            gate.keep(uow, report)
            row.gate = report.verdict.value
            course.tell(uow, row, "judged", report.sentence, "evaluation", report.run)
            if report.verdict is not Verdict.PASS:
                _refuse(uow, row, report)
                return
    _go_on(workspace, renewal)


def _go_on(workspace: Workspace, renewal: str) -> None:
    """The gate passed: ask a person, or release; later when another release of the endpoint is on its way."""
    try:
        with workspace.writing(course.BY) as uow:
            row = course.locked(uow, renewal)
            if row.state != RenewalState.JUDGING:
                return
            if course.policy_of(row).approve is Approve.PERSON:
                said = f"{row.challenger} passed its gate and waits for `opsloop renewal approve {row.id}`"
                course.move(uow, row, RenewalState.AWAITING_APPROVAL, said, "evaluation", row.challenger_run or "")
                uow.emit(RenewalNeedsApproval(row.id, row.endpoint, row.challenger or "", said))
                return
            release_challenger(uow, row)
    except RolloutGoesOn as error:
        with workspace.writing(course.BY) as uow:
            row = course.locked(uow, renewal)
            row.said = f"it waits for the end of another rollout: {error.sentence}"
            course.work(uow, row, after_s=RETRY_S)


def _refuse(uow: UnitOfWork, row: RenewalRow, report: GateReport) -> None:
    course.end(uow, row, RenewalState.REJECTED, report.sentence, "evaluation", report.run)


def _models(uow: UnitOfWork, row: RenewalRow) -> tuple[ModelVersion | None, ModelVersion]:
    assert row.challenger is not None
    champion = models.get(uow, row.champion) if row.champion is not None else None
    return champion, models.get(uow, row.challenger)


def _chosen(uow: UnitOfWork, policy: Policy, champion: ModelVersion | None, challenger: ModelVersion) -> trial.Trial:
    return trial.chosen(
        lessons.of(uow, champion) if champion is not None else None,
        lessons.of(uow, challenger),
        challenger.signature,
        policy.compare_on,
    )


def _snapshot(workspace: Workspace, rows: Sequence[Mapping[str, Any]]) -> Snapshot:
    return datasets.prepare(workspace, "rows.jsonl", msgspec.json.Encoder(enc_hook=str).encode_lines(rows))


def _registered(uow: UnitOfWork, row: RenewalRow, policy: Policy, snapshots: Mapping[str, Snapshot]) -> dict[str, str]:
    """The versions to judge by, by what they are called."""
    if policy.dataset is not None:
        return {"golden": datasets.get(uow, policy.dataset).ref}
    return {
        part: datasets.register_snapshot(uow, f"renewal-{row.endpoint}-{part}", "rows.jsonl", snapshot).ref
        for part, snapshot in snapshots.items()
    }


def _evaluate(
    uow: UnitOfWork,
    row: RenewalRow,
    policy: Policy,
    champion: ModelVersion | None,
    challenger: ModelVersion,
    named: Mapping[str, str],
    chosen: trial.Trial,
) -> None:
    label = challenger.signature.output.name
    constant = None
    if champion is None:
        rows = [each for part in chosen.parts.values() for each in part]
        if policy.dataset is not None:
            rows = list(datasets.rows(uow, datasets.get(uow, policy.dataset)))
        constant = trial.constant_share(rows, label)
    declared = trial.experiment(
        policy, challenger.signature, named, name=f"renewal of {row.endpoint}", constant=constant
    )
    row.challenger_run = evaluations.start(uow, declared, challenger).id
    row.champion_run = evaluations.start(uow, declared, champion).id if champion is not None else None
    who = "both answer" if champion is not None else f"{row.challenger} answers"
    said = f"{who} {', '.join(named.values())}"
    if chosen.notes:
        said += f"; {'; '.join(chosen.notes)}"
    course.move(uow, row, RenewalState.EVALUATING, said, "evaluation", row.challenger_run)
