"""HTTP: API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field

from opsloop.core.caller import Role
from opsloop.core.identity import keys
from opsloop.core.identity.models import ApiKey
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router

router = Router(prefix="/api/keys", tags=["identity"])


class KeyWanted(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    role: Role = Role.VIEWER
    lifetime_days: int | None = Field(None, ge=1, le=3650)


@router.post("", status_code=201)
def create(uow: Writing, wanted: KeyWanted) -> dict[str, Any]:
    """A new key; its secret is shown in this answer and never again."""
    lifetime = timedelta(days=wanted.lifetime_days) if wanted.lifetime_days else None
    made = keys.create(uow, wanted.name, wanted.role, lifetime=lifetime)
    return {"key": made.key, "secret": made.secret}


@router.get("")
def listed(uow: Reading) -> dict[str, Any]:
    return {"items": keys.all_keys(uow), "next": None}


@router.delete("/{name}")
def revoke(uow: Writing, name: str) -> ApiKey:
    return keys.revoke(uow, name)
