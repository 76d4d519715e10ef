"""An API key, without its secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from opsloop.core.caller import Role

KeyId = NewType("KeyId", str)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret, which is shown once when the key is made."""

    id: KeyId
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
