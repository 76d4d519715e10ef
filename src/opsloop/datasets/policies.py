"""What is declared for all versions of a dataset: what must hold, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets._tables import DatasetPolicyRow
from opsloop.datasets.expectations.declared import parse
from opsloop.datasets.findings import DatasetPolicy, OnBroken, OnPii


def get(uow: UnitOfWork, name: str) -> DatasetPolicy:
    """The policy of a dataset; that of one for which nothing was declared expects nothing and reports personal data."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(DatasetPolicyRow, name)
    if row is None:
        return DatasetPolicy(name)
    return DatasetPolicy(name, tuple(row.expectations), OnBroken(row.on_broken), OnPii(row.pii))


def change(
    uow: UnitOfWork,
    name: str,
    *,
    expectations: Sequence[dict[str, Any]] | None = None,
    on_broken: OnBroken | None = None,
    pii: OnPii | None = None,
) -> DatasetPolicy:
    """Declare what is given; the rest stays. Versions that are there already stay too. Raises: ExpectationInvalid."""
    uow.by.require(Role.DEVELOPER)
    before = get(uow, name)
    wanted = before.expectations
    if expectations is not None:
        wanted = tuple(each.declared() for each in parse(list(expectations)))
    after = DatasetPolicy(name, wanted, on_broken or before.on_broken, pii or before.pii)
    if after == before:
        return after
    row = uow.session.get(DatasetPolicyRow, name)
    if row is None:
        row = DatasetPolicyRow(name=name)
        uow.session.add(row)
    row.expectations, row.on_broken, row.pii = list(after.expectations), after.on_broken, after.pii
    row.changed_at, row.changed_by = uow.clock.now(), uow.by.name
    uow.session.flush()
    uow.audit(
        "dataset.policy_changed",
        f"dataset/{name}",
        expectations=len(after.expectations),
        on_broken=after.on_broken.value,
        pii=after.pii.value,
    )
    return after
