"""What model versions learned from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.models.models import ModelVersion
from opsloop.models.signature import Signature
from opsloop.releases.renewals.trial import Lessons, row_key
from opsloop.training.learned_rows import of_run


def of(uow: UnitOfWork, version: ModelVersion) -> Lessons:
    """Of a version that a run made, its rows; of one from elsewhere, all rows of its dataset, if it names one.

    A dataset that is gone, or a run whose rows cannot be found again, leaves nothing known.
    """
    try:
        if version.run:
            found = of_run(uow, version.run)
            return Lessons(found.learned, found.held_out)
        if version.dataset:
            return Lessons(learned=tuple(datasets.rows(uow, datasets.get(uow, version.dataset))))
    except OpsloopError:
        pass
    return Lessons()


def key(row: Mapping[str, Any], signature: Signature) -> bytes:
    """What names a row: its inputs and its label."""
    return row_key(row, [*(each.name for each in signature.inputs), signature.output.name])


def keys(rows: Iterable[Mapping[str, Any]], signature: Signature) -> set[bytes]:
    return {key(row, signature) for row in rows}
