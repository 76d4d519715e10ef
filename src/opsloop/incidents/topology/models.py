"""The nouns of the topology."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One part calls another, as traces showed.

    Args:
        caller, callee: `endpoint:chat`, `service:shop`, `provider:api.openai.com`, `collection:docs`,
            `database:postgresql/orders`, `queue:mails`, `host:api.example.com`.
        calls, errors: spans that showed it and how many of them failed, since `first_at`.
    """

    caller: str
    callee: str
    calls: int
    errors: int
    first_at: datetime
    seen_at: datetime
