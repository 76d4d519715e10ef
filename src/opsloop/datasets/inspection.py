"""What a snapshot is looked at for before it becomes a version: expectations, personal data, held out rows.

It takes as long as the rows are many, so it is done before the transaction that makes the version begins, and again
inside it only when what was declared has changed meanwhile.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import holdout as rules
from opsloop.datasets import holdouts, personal_data, policies
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets._tables import DatasetVersionRow
from opsloop.datasets.expectations import checking, declared
from opsloop.datasets.expectations.errors import ExpectationsNotMet
from opsloop.datasets.findings import DatasetPolicy, ExpectationReport, Holdout, OnBroken, OnPii, PiiReport
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found, and what it was looked at for; `lost` are the held out rows that are missing, of `held`."""

    policy: DatasetPolicy
    holdout: Holdout | None
    expectations: ExpectationReport | None
    pii: PiiReport | None
    lost: tuple[int, ...] = ()
    held: int = 0

    def stored(self) -> dict[str, Any]:
        return {
            "expectations": asdict(self.expectations) if self.expectations else None,
            "pii": asdict(self.pii) if self.pii else None,
        }


def inspect(uow: UnitOfWork, name: str, snapshot: Snapshot) -> Inspection:
    """Look at a snapshot for what is declared of its dataset."""
    policy, holdout = policies.get(uow, name), holdouts.get(uow, name)
    path = str(snapshots.local_file(uow.workspace, snapshot.artifact))
    expectations = pii = None
    if policy.expectations:
        wanted = declared.parse(list(policy.expectations))
        expectations = checking.check(path, snapshot.columns, snapshot.rows, wanted)
    if policy.pii is not OnPii.ALLOW:
        pii = personal_data.report_of(path, snapshot.columns, snapshot.rows)
    if holdout is None:
        return Inspection(policy, holdout, expectations, pii)
    lost, held = _lost(uow, holdout, snapshot)
    return Inspection(policy, holdout, expectations, pii, lost=tuple(lost), held=held)


def is_current(uow: UnitOfWork, inspection: Inspection) -> bool:
    """Whether what is declared is still what it was looked at for."""
    name = inspection.policy.name
    return (inspection.policy, inspection.holdout) == (policies.get(uow, name), holdouts.get(uow, name))


def admit(inspection: Inspection, *, replace_holdout: str | None = None) -> None:
    """Raises: ExpectationsNotMet, PersonalDataFound, HoldoutChanged where the policy refuses what was found."""
    policy, dataset = inspection.policy, inspection.policy.name
    report, pii = inspection.expectations, inspection.pii
    if report is not None and not report.met and policy.on_broken is OnBroken.REFUSE:
        raise ExpectationsNotMet(dataset=dataset, report=report)
    if pii is not None and pii.found and policy.pii is OnPii.REFUSE:
        raise personal_data.PersonalDataFound(dataset=dataset, report=pii)
    if inspection.holdout is not None and inspection.lost and not replace_holdout:
        raise rules.HoldoutChanged(
            dataset=dataset,
            count=len(inspection.lost),
            held=inspection.held,
            rows=", ".join(map(str, inspection.lost[: rules.SHOWN]))
            + (", …" if len(inspection.lost) > rules.SHOWN else ""),
            frozen=f"{dataset}@{inspection.holdout.frozen}",
        )


def discard(uow: UnitOfWork, snapshot: Snapshot) -> None:
    """Remove the rows of a snapshot that was refused, unless a version has them.

    In a writing transaction: on SQLite no version of these rows can be made meanwhile.
    """
    if uow.session.scalar(select(DatasetVersionRow.id).where(DatasetVersionRow.artifact == snapshot.artifact)) is None:
        uow.artifacts.delete(snapshot.artifact)
        snapshots.forget(uow.workspace, snapshot.artifact)


def _lost(uow: UnitOfWork, holdout: Holdout, snapshot: Snapshot) -> tuple[list[int], int]:
    frozen = uow.session.scalar(
        select(DatasetVersionRow).where(
            DatasetVersionRow.name == holdout.name, DatasetVersionRow.version == holdout.frozen
        )
    )
    if frozen is None or frozen.digest == snapshot.digest:
        return [], 0
    columns = tuple(Column(each["name"], ColumnType(each["type"])) for each in frozen.columns)
    before = list(snapshots.read(uow.workspace, frozen.artifact, columns))
    held = sum(rules.is_held_out(row, holdout) for row in before)
    return rules.lost(before, snapshots.read(uow.workspace, snapshot.artifact, snapshot.columns), holdout), held
