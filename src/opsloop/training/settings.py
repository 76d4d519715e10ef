"""Settings of training."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class TrainingSettings(Section):
    training_slack_webhook: str | None = Field(
        None, repr=False, description="Slack webhook that hears of training, as a URL, where a pipeline names none."
    )
    training_webhook: str | None = Field(
        None, repr=False, description="Webhook that hears of training, as a URL, where a pipeline names none."
    )
    training_webhook_secret: str | None = Field(
        None, repr=False, description="Secret that signs what that webhook gets, as text."
    )
    training_hook_secret: str | None = Field(
        None,
        repr=False,
        description="Secret of requests to /webhooks/train/PIPELINE, as text, where a pipeline names none.",
    )
