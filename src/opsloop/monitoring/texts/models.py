"""The noun of kept texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeptTexts:
    """What was asked and answered in one request; `earlier_turns` of its conversation came before and are not kept."""

    seq: int
    request_id: str
    endpoint: str
    release: str
    arm: str
    at: datetime
    expires_at: datetime
    earlier_turns: int
    question: str
    answer: str
