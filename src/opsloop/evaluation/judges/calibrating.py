"""Start a calibration: a judge held against the labels of a dataset, as a durable job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsloop.core.caller import Role
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.evaluation.judges import service
from opsloop.evaluation.judges._tables import CalibrationRow
from opsloop.evaluation.judges.errors import LabelsInvalid
from opsloop.evaluation.judges.labels import columns_of
from opsloop.evaluation.judges.models import Calibration, CalibrationStatus

KIND = "judge.calibrate"
RETEST = 50
"""Rows that are asked a second time, to see whether the judge says the same."""


def start(
    uow: UnitOfWork,
    judge: str,
    dataset: str,
    *,
    labels: Sequence[str] = (),
    mappings: Mapping[str, str] | None = None,
    retest: int = RETEST,
) -> Calibration:
    """Args:
        labels: columns that hold labels, one an annotator; unset: `label`, `labels`, `human_label` or `human`.
        mappings: inputs of the judge to columns of the dataset; unset: the column of the same name.
        retest: how many rows are asked a second time, 0 or more.
    Raises: JudgeMissing, DatasetMissing, LabelsInvalid when a column is not there.
    """
    uow.by.require(Role.DEVELOPER)
    version = service.get(uow, judge)
    data = datasets.get(uow, dataset)
    columns = [column.name for column in data.schema]
    wanted = {
        "labels": list(columns_of(columns, labels)),
        "inputs": _inputs(service.spec_of(version).inputs, columns, mappings or {}),
        "retest": max(0, retest),
    }
    id = uow.ids.new("calibration")
    job = jobs.enqueue(uow, KIND, {"calibration": id})
    uow.session.add(
        CalibrationRow(
            id=id,
            judge_version=version.id,
            digest=version.digest,
            dataset=data.ref,
            dataset_digest=data.digest,
            rows=data.rows,
            wanted=wanted,
            status=CalibrationStatus.QUEUED,
            found=None,
            error=None,
            job=job.id,
            created_at=uow.clock.now(),
            created_by=uow.by.name,
            finished_at=None,
        )
    )
    uow.session.flush()
    uow.audit("judge.calibration_started", f"judge/{version.ref}", dataset=data.ref)
    return service.calibration(uow, id)


def _inputs(names: Sequence[str], columns: Sequence[str], mappings: Mapping[str, str]) -> dict[str, str]:
    """The column of each input. Raises: LabelsInvalid."""
    for name, column in mappings.items():
        if name not in names:
            raise LabelsInvalid(field="mappings", value=name, wanted=f"an input of the judge ({', '.join(names)})")
        if column not in columns:
            raise LabelsInvalid(
                field=f"mappings.{name}", value=column, wanted=f"a column of the dataset ({', '.join(columns)})"
            )
    found = {name: mappings.get(name, name) for name in names if name in mappings or name in columns}
    for name in names:
        if name not in found and name != "question":
            wanted = f"a column for it, with --map {name}=COLUMN (columns: {', '.join(columns)})"
            raise LabelsInvalid(f"the judge reads {name}, which the dataset does not have; wanted {wanted}")
    return found
