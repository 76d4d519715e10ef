"""Which rows a run learned from, and which it held out: found again from what the run was, for later comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.training import learning, service
from opsloop.training import window as windows

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LearnedRows:
    """Rows of a dataset as a run used them; those without a target are in neither."""

    learned: tuple[Row, ...]
    held_out: tuple[Row, ...]


def of_run(uow: UnitOfWork, run_id: str) -> LearnedRows:
    """The rows of a run that made a version. Everything follows from the pipeline, its seed and the rows.

    Raises: TrainingRunMissing, DatasetMissing, PipelineInvalid, DataUnfit, ExtraNeeded.
    """
    from opsloop.training.dividing import held_out  # numpy and scikit-learn, an extra

    row = service.run_row(uow, run_id)
    spec = learning.spec_of(row.declared, Path())
    version = datasets.get(uow, row.data or row.dataset)
    window = windows.parse(row.window)
    rows = learning.windowed(datasets.rows(uow, version), window)
    table = learning.table_of(spec, version.schema, rows, windows.Window())
    known = [each for each in rows if each.get(spec.target) is not None]
    fold = held_out(spec, table)
    return LearnedRows(
        learned=tuple(known[place] for place in fold.learn), held_out=tuple(known[place] for place in fold.measure)
    )
