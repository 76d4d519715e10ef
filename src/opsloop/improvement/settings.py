"""Settings of what is learned from feedback."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class ImprovementSettings(Section):
    feedback_weekly_cron: str = Field(
        "0 6 * * 1", description="When the report of the week that is over is made: five cron fields, in UTC."
    )
    feedback_webhook: str | None = Field(
        None, description="Where weekly reports of feedback are told, as a URL; of Slack's too.", repr=False
    )
    feedback_webhook_secret: str | None = Field(
        None, description="Secret with which what is sent there is signed.", repr=False
    )
