"""What can be set about the console."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class ConsoleSettings(Section):
    use_report_days: int = Field(
        30, ge=1, le=36_500, description="How many days a report that a page at /use made is kept."
    )
