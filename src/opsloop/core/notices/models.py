"""A notice on its way to a URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

DeliveryId = NewType("DeliveryId", str)


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self is not DeliveryState.PENDING


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is told, where, and how that went; `to` is what may be shown of the address, the host.

    `status` and `error` are of the last attempt: what the other side answered, and why that was no success. `next_at`
    is when it is tried again.
    """

    id: DeliveryId
    kind: str
    about: str
    to: str
    body: str
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None
