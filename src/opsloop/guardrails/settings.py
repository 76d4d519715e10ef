"""Settings of what guardrails do beside the policies of endpoints."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class GuardrailSettings(Section):
    redact_stored: bool = Field(
        True,
        description="Whether personal data are taken out of comments and log lines before they are written, yes or no.",
    )
    support_most_open: int = Field(
        10_000, ge=1, description="Most cases that wait in the support queue; more callers get 503, as a number."
    )
    support_kept_days: float = Field(
        90, gt=0, description="Time that closed cases of the support queue are kept, as a number of days."
    )
