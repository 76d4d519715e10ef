"""Ask in Slack: a repair that waits for a yes is told, with buttons, to the Slack channels that take such alerts."""

from __future__ import annotations

from opsloop.core.events.outbox import subscriber
from opsloop.core.notices import service as notices
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import declaring
from opsloop.monitoring.alerts.channels import Channel
from opsloop.remediation import service
from opsloop.remediation.events import RemediationEnded, RemediationProposed
from opsloop.remediation.models import Remediation
from opsloop.remediation.settings import RemediationSettings
from opsloop.remediation.slack import buttons, message

NAME = "remediation slack"
KIND = "remediation.asked"


@subscriber(RemediationProposed, NAME)
def on_proposed(uow: UnitOfWork, event: RemediationProposed) -> None:
    """Nothing without a signing secret: the buttons would be good for nothing."""
    if not event.waits or not uow.workspace.section(RemediationSettings).remediation_slack_signing_secret:
        return
    asked = service.get(uow, event.remediation)
    if not asked.waits or asked.expires_at <= uow.clock.now():
        return
    for channel in declaring.channels(uow):
        if channel.form == "slack" and _takes(channel, asked):
            _ask(uow, channel, asked)


@subscriber(RemediationEnded, NAME)
def on_ended(uow: UnitOfWork, event: RemediationEnded) -> None:
    buttons.void(uow, event.remediation)


def _takes(channel: Channel, asked: Remediation) -> bool:
    return channel.takes_such(rule="repair-waits", severity="ticket", endpoint=asked.endpoint)


def _ask(uow: UnitOfWork, channel: Channel, asked: Remediation) -> None:
    body = message.asking(asked, buttons.make(uow, asked))
    # An event that is delivered twice asks once.
    id = f"{KIND}:{asked.digest[:32]}:{channel.name}"
    notices.deliver(uow, channel.url, body, kind=KIND, about=f"remediation/{asked.id}", id=id)
