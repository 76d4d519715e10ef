"""Check expectations on a version that is there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import policies
from opsloop.datasets import snapshot as snapshots
from opsloop.datasets.expectations import checking, declared
from opsloop.datasets.findings import ExpectationReport
from opsloop.datasets.models import DatasetVersion


def validate(
    uow: UnitOfWork, version: DatasetVersion, wanted: Sequence[dict[str, Any]] | None = None
) -> ExpectationReport:
    """How all rows of a version fare under expectations; without any under those of its dataset.

    Raises: InvalidInput when there are none, ExpectationInvalid, ExtraNeeded.
    """
    uow.by.require(Role.VIEWER)
    values = list(policies.get(uow, version.name).expectations if wanted is None else wanted)
    if not values:
        raise InvalidInput(
            f"{version.name} has no expectations; declare some with `opsloop data expect {version.name} FILE`, "
            "or name a file with --suite",
            field="expectations",
        )
    path = str(snapshots.local_file(uow.workspace, version.artifact))
    whole = version.rows if not version.part else sum(version.parts.values())
    return checking.check(path, version.schema, whole, declared.parse(values))
