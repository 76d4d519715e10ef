"""The rows that a step of a run dropped."""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets.engine import connected
from opsloop.datasets.preparation import service
from opsloop.datasets.preparation.jobs import dropped_key
from opsloop.datasets.preparation.models import DroppedRow
from opsloop.datasets.preparation.rows import ROW


def rows(uow: UnitOfWork, run_id: str, step: int, *, offset: int = 0, limit: int = 100) -> list[DroppedRow]:
    """Some of the rows that a step dropped, in their order; none when it kept all.

    Args:
        step: its place in the run's steps, from 0 (which is `read`).
    Raises: PreparationRunMissing, InvalidInput.
    """
    uow.by.require(Role.VIEWER)
    steps = service.run(uow, run_id).steps
    if not 0 <= step < len(steps):
        raise InvalidInput(field="step", value=step, wanted=f"a step of the run, from 0 to {len(steps) - 1}")
    if not steps[step].are_kept:
        return []
    file = uow.artifacts.local_file(dropped_key(run_id, step - 1), uow.workspace.data_dir / "cache")
    with connected() as duck:
        query = (
            f"SELECT {ROW}, to_json(kept)::VARCHAR FROM (SELECT {ROW}, kept FROM (SELECT * FROM read_parquet(?)) kept)"  # noqa: S608 (a fixed name)
        )
        found = duck.execute(f"{query} ORDER BY {ROW} LIMIT ? OFFSET ?", [str(file), limit, offset]).fetchall()
    return [DroppedRow(row, _values(text)) for row, text in found]


def _values(text: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(text)
    found.pop(ROW, None)
    return found
