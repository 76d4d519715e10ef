"""Settings of webhooks that repairs may call."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.settings import Section


class Webhook(BaseModel):
    """Args: url: may be `${env:NAME}`; secret: signs what is sent, may be `${env:NAME}` too."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(repr=False)
    secret: str = Field("", repr=False)


class WebhookSettings(Section):
    remediation_webhooks: dict[str, Webhook] = Field(
        {},
        description="Webhooks that repairs may call, as JSON: name to `url` and `secret`, each a text or ${env:NAME}; "
        "unset: none.",
        repr=False,
    )
    remediation_webhook_tries: int = Field(
        3, ge=1, le=10, description="Most times that a repair calls a webhook that does not answer, as a number."
    )
