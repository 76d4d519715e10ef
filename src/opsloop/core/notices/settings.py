"""Settings of notices."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class NoticeSettings(Section):
    notice_timeout_s: float = Field(
        10.0, gt=0, le=120, description="Time that the receiver of a notice has to answer, in seconds."
    )
