"""API keys: made once, shown once, stored as a hash.

A key is `opl_` and 256 random bits, so one round of SHA-256 is enough: there is nothing to guess that a slow hash would
protect (NIST SP 800-63B, 5.1.1.2 asks for slow hashes of memorised secrets only).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from opsloop.core.identity._tables import ApiKeyRow
from opsloop.core.identity.models import ApiKey, KeyId
from opsloop.core.workspace import UnitOfWork

PREFIX = "opl_"


class KeyUnknown(Unauthenticated):
    template = "the API key is not known, was revoked or has expired; make one with `opsloop token create NAME`"


class KeyExists(Conflict):
    template = "an API key named {name!r} exists already; revoke it first or choose another name"


@dataclass(frozen=True, slots=True)
class NewKey:
    key: ApiKey
    secret: str


def create(uow: UnitOfWork, name: str, role: Role, *, lifetime: timedelta | None = None) -> NewKey:
    """A new key; its secret is in the answer and nowhere else."""
    uow.by.require(Role.ADMIN)
    if not name or len(name) > 100 or not name.isprintable():
        raise InvalidInput(field="name", value=name, wanted="1 to 100 printable characters")
    if uow.session.scalar(select(ApiKeyRow).where(ApiKeyRow.name == name, ApiKeyRow.revoked_at.is_(None))):
        raise KeyExists(name=name)
    secret = PREFIX + secrets.token_urlsafe(32)
    now = uow.clock.now()
    row = ApiKeyRow(
        id=uow.ids.new("key"),
        name=name,
        role=role.value,
        digest=_digest(secret),
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
    )
    uow.session.add(row)
    uow.audit("key.created", f"key/{name}", role=role.value)
    return NewKey(_key(row), secret)


def revoke(uow: UnitOfWork, name: str) -> ApiKey:
    uow.by.require(Role.ADMIN)
    row = uow.session.scalar(select(ApiKeyRow).where(ApiKeyRow.name == name, ApiKeyRow.revoked_at.is_(None)))
    if row is None:
        raise NotFound(noun="API key", name=name)
    row.revoked_at = uow.clock.now()
    # The name is free again, and the record of the old key stays.
    row.name = f"{row.name} (revoked {row.id})"
    uow.audit("key.revoked", f"key/{name}")
    return _key(row)


def all_keys(uow: UnitOfWork) -> list[ApiKey]:
    uow.by.require(Role.ADMIN)
    return [_key(row) for row in uow.session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at))]


def any_usable(uow: UnitOfWork) -> bool:
    """Whether somebody could sign in with a key."""
    now = uow.clock.now()
    usable = select(func.count()).where(
        ApiKeyRow.revoked_at.is_(None), ApiKeyRow.expires_at.is_(None) | (ApiKeyRow.expires_at > now)
    )
    return bool(uow.session.scalar(usable))


def caller_of(uow: UnitOfWork, secret: str) -> Caller:
    """Who holds this secret. Raises: KeyUnknown."""
    row = uow.session.scalar(select(ApiKeyRow).where(ApiKeyRow.digest == _digest(secret)))
    if row is None or row.revoked_at is not None or _is_past(row.expires_at, uow.clock.now()):
        raise KeyUnknown()
    return Caller(f"key:{row.name}", Role(row.role))


def _is_past(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and instant <= now


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=KeyId(row.id),
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
