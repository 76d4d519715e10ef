"""Settings of what people say."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class FeedbackSettings(Section):
    survey_requests_per_minute: int = Field(
        60, ge=1, le=100_000, description="How many requests for surveys one address may send in a minute."
    )
