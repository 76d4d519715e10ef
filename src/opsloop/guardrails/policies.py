"""The policies of endpoints, as they are stored. Whether an endpoint exists is asked where endpoints are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails._tables import PolicyRow
from opsloop.guardrails.errors import PolicyChanged
from opsloop.guardrails.models import Guardrails
from opsloop.guardrails.policy import NOTHING, Policy, from_stored


def of_endpoint(uow: UnitOfWork, endpoint: str) -> Guardrails:
    return _guardrails(endpoint, uow.session.get(PolicyRow, endpoint))


def of_all(uow: UnitOfWork) -> Mapping[str, Policy]:
    """Every endpoint's policy, for the routing table."""
    return {row.endpoint: from_stored(row.declared) for row in uow.session.scalars(select(PolicyRow))}


def put(uow: UnitOfWork, endpoint: str, policy: Policy, *, expected: int | None = None) -> Guardrails:
    """Set the policy of an endpoint; one that is the same already is not changed.

    The caller holds a lock under which changes of an endpoint's policy wait for each other.

    Args:
        expected: the version that is to be replaced; unset: whichever there is.
    Raises: PolicyChanged.
    """
    row = uow.session.get(PolicyRow, endpoint, populate_existing=True)
    version = row.version if row is not None else 0
    if expected is not None and expected != version:
        raise PolicyChanged(endpoint=endpoint, version=version, expected=expected)
    declared = policy.declared()
    if row is not None and row.declared == declared:
        return _guardrails(endpoint, row)
    before = row.declared if row is not None else None
    row = _written(uow, row or PolicyRow(endpoint=endpoint), version + 1, declared)
    uow.audit(
        "guardrails.changed", f"endpoint/{endpoint}", version=row.version, before=before, after=declared,
        digest=policy.digest,
    )  # fmt: skip
    return _guardrails(endpoint, row)


def begin(uow: UnitOfWork, endpoint: str, policy: Policy) -> Guardrails:
    """The first policy of an endpoint that is being made; whoever makes it says so on the record."""
    return _guardrails(endpoint, _written(uow, PolicyRow(endpoint=endpoint), 1, policy.declared()))


def _written(uow: UnitOfWork, row: PolicyRow, version: int, declared: dict[str, Any]) -> PolicyRow:
    row.version, row.declared = version, declared
    row.changed_at, row.changed_by = uow.clock.now(), uow.by.name
    uow.session.add(row)
    uow.session.flush()
    return row


def _guardrails(endpoint: str, row: PolicyRow | None) -> Guardrails:
    policy = from_stored(row.declared) if row is not None else NOTHING
    return Guardrails(
        endpoint=endpoint,
        version=row.version if row is not None else 0,
        policy=policy.declared(),
        digest=policy.digest,
        changed_at=row.changed_at if row is not None else None,
        changed_by=row.changed_by if row is not None else None,
    )
