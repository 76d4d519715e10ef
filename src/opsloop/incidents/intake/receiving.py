"""Receive a webhook's message: proved, once, and stored before it is acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import delete

from opsloop.core.caller import Caller, Role
from opsloop.core.web.json_body import decoded
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents import service
from opsloop.incidents._tables import DeliveryRow
from opsloop.incidents.errors import HookNotSigned
from opsloop.incidents.intake import cloudwatch
from opsloop.incidents.intake.message import Message, Source
from opsloop.incidents.models import TakenIn
from opsloop.incidents.settings import IncidentSettings

_decoder = msgspec.json.Decoder(dict[str, Any])
REMEMBERED = timedelta(days=7)


def receive(workspace: Workspace, source: Source, headers: Mapping[str, str], body: bytes, *, by: Caller) -> TakenIn:
    """Take in what a webhook tells; a delivery that comes again changes nothing.

    Raises: HookNotSigned, InvalidInput, NotAllowed for a caller with a key that may not.
    """
    message = Message(headers, body, workspace.clock.now())
    if source.is_signed(headers):
        if not source.proves(workspace.section(IncidentSettings), message):
            raise HookNotSigned(source=source.name, setting=source.secret)
        by = Caller(f"webhook:{source.name}", Role.DEVELOPER)
    by.require(Role.DEVELOPER)
    payload = decoded(_decoder, body)
    signals = source.signals(message, payload)
    if source.name == cloudwatch.SOURCE.name and source.is_signed(headers):
        cloudwatch.confirm(payload)  # asks the network: before the transaction
    with workspace.writing(by) as uow:
        if not _is_new(uow, source.name, source.delivery(message, payload)):
            return TakenIn()
        return service.take_in(uow, signals)


def _is_new(uow: UnitOfWork, source: str, delivery: str) -> bool:
    if not delivery:
        return True
    delivery = delivery.replace("\0", "")[:200]
    if uow.session.get(DeliveryRow, (source, delivery), with_for_update=True) is not None:
        return False
    now = uow.clock.now()
    uow.session.execute(delete(DeliveryRow).where(DeliveryRow.at < now - REMEMBERED))
    uow.session.add(DeliveryRow(source=source, delivery=delivery, at=now))
    uow.session.flush()
    return True
