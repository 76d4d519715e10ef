"""Settings of what guardrails do beside the policies of endpoints."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class GuardrailSettings(Section):
    redact_stored: bool = Field(
        True,
        description="Whether personal data are taken out of comments and log lines before they are written, yes or no.",
    )
