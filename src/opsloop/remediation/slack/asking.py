"""Ask in Slack: a repair that waits for a yes is told, with buttons, to the Slack channels that take such alerts."""

from __future__ import annotations

from opsloop.core.events.outbox import subscriber
from opsloop.core.notices import service as notices
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alerts import declaring
from opsloop.monitoring.alerts.channels import Channel
from opsloop.remediation import service
from opsloop.remediation.events import (
    RemediationActed,
    RemediationDecided,
    RemediationEnded,
    RemediationHalted,
    RemediationProposed,
    RemediationResumed,
)
from opsloop.remediation.models import Remediation
from opsloop.remediation.settings import RemediationSettings
from opsloop.remediation.slack import buttons, message, showing

NAME = "remediation slack"
KIND = "remediation.asked"


@subscriber(RemediationProposed, NAME)
def on_proposed(uow: UnitOfWork, event: RemediationProposed) -> None:
    """Nothing without a signing secret: the buttons would be good for nothing."""
    settings = uow.workspace.section(RemediationSettings)
    showing.renew(uow, event.remediation)  # what asked before asks no more
    if not event.waits or not settings.remediation_slack_signing_secret:
        return
    asked = service.get(uow, event.remediation)
    if not asked.waits or asked.is_lapsed:
        return
    if settings.remediation_slack_token and settings.remediation_slack_channel:
        showing.begin(uow, asked, settings.remediation_slack_channel, is_webhook=False)
        return
    for channel in declaring.channels(uow):
        if channel.form == "slack" and _takes(channel, asked):
            _ask(uow, channel, asked)


@subscriber(RemediationEnded, NAME)
def on_ended(uow: UnitOfWork, event: RemediationEnded) -> None:
    buttons.void(uow, event.remediation)
    showing.renew(uow, event.remediation)


@subscriber(RemediationDecided, NAME)
def on_decided(uow: UnitOfWork, event: RemediationDecided) -> None:
    showing.renew(uow, event.remediation)


@subscriber(RemediationActed, NAME)
def on_acted(uow: UnitOfWork, event: RemediationActed) -> None:
    showing.renew(uow, event.remediation)


@subscriber(RemediationHalted, NAME)
def on_halted(uow: UnitOfWork, _: RemediationHalted) -> None:
    showing.renew(uow)


@subscriber(RemediationResumed, NAME)
def on_resumed(uow: UnitOfWork, _: RemediationResumed) -> None:
    showing.renew(uow)


def _takes(channel: Channel, asked: Remediation) -> bool:
    return channel.takes_such(rule="repair-waits", severity="ticket", endpoint=asked.endpoint)


def _ask(uow: UnitOfWork, channel: Channel, asked: Remediation) -> None:
    if showing.begin(uow, asked, channel.name, is_webhook=True) is None:  # an event may be delivered twice
        return
    pair = buttons.make(uow, asked)
    body, about = message.asking(asked, pair), f"remediation/{asked.id}"
    notices.deliver(uow, channel.url, body, hidden=(pair.yes, pair.no), kind=KIND, about=about)
