"""Ask for a notice to be delivered, and look what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, select

from opsloop.core.caller import Role
from opsloop.core.jobs import service as jobs
from opsloop.core.notices import address
from opsloop.core.notices._tables import DeliveryRow
from opsloop.core.notices.errors import DeliveryMissing
from opsloop.core.notices.models import Delivery, DeliveryId, DeliveryState
from opsloop.core.workspace import UnitOfWork

KIND = "notice.deliver"
# From the second attempt on; together some nine hours, so that a receiver may be away for a night.
DELAYS_S = (5, 30, 120, 600, 1_800, 3_600, 7_200, 18_000)
KEPT = timedelta(days=30)
_PRUNED_AT_ONCE = 100
HIDDEN = "[HIDDEN]"
_encode = msgspec.json.Encoder(order="deterministic").encode


def deliver(
    uow: UnitOfWork,
    url: str,
    payload: Mapping[str, Any] | Sequence[Any],
    *,
    secret: str | None = None,
    hidden: Sequence[str] = (),
    kind: str,
    about: str = "",
    id: str | None = None,
) -> Delivery:
    """Send a JSON payload to a URL once this transaction is committed, again and again until it is taken.

    The receiver finds the delivery's id in `X-Opsloop-Delivery` (the same one at each attempt: what it had already it
    can leave), the kind in `X-Opsloop-Event`, and with a secret the signature in `X-Opsloop-Signature`.

    Args:
        url: of a webhook; `${env:NAME}` is looked up when it is sent, and so kept nowhere. Of a mailbox `mailto:` and
            its address; the payload is then `subject` and `text`.
        secret: signs the body; may be `${env:NAME}` too. Both are erased here once the delivery is over.
        hidden: texts of the payload that whoever holds them could use: they are sent, and shown to nobody here. Such
            as JSON does not escape.
        kind: what it tells, such as `drift.detected`.
        about: what it is about, such as `endpoint/iris`.
        id: an id of the caller's choice; a delivery that exists under it is returned as it is.
    Raises: AddressInvalid.
    """
    if id is not None and (existing := uow.session.get(DeliveryRow, id)) is not None:
        return _delivery(existing)
    address.check(url)
    row = DeliveryRow(
        id=id or uow.ids.new("delivery"),
        kind=kind,
        about=about,
        to=address.shown(url),
        url=url,
        secret=secret or None,
        body=_encode(dict(payload) if isinstance(payload, Mapping) else list(payload)).decode(),
        hidden=_encode(list(hidden)).decode() if hidden else None,
        state=DeliveryState.PENDING,
        attempts=0,
        created_at=uow.clock.now(),
    )
    uow.session.add(row)
    enqueue(uow, row)
    return _delivery(row)


def enqueue(uow: UnitOfWork, row: DeliveryRow, *, after_s: float = 0) -> None:
    """The job of a delivery's next attempt; asking for the same one twice gives one."""
    at = uow.clock.now() + timedelta(seconds=after_s) if after_s else None
    row.next_at = at
    jobs.enqueue(uow, KIND, {"delivery": row.id}, id=f"{row.id}.{row.attempts + 1}", run_after=at)


def get(uow: UnitOfWork, delivery: str) -> Delivery:
    """Raises: DeliveryMissing."""
    uow.by.require(Role.VIEWER)
    return _delivery(row_of(uow, delivery))


def listed(uow: UnitOfWork, *, about: str | None = None, limit: int = 100) -> list[Delivery]:
    """The newest first."""
    uow.by.require(Role.VIEWER)
    query = select(DeliveryRow).order_by(DeliveryRow.created_at.desc(), DeliveryRow.id.desc())
    if about is not None:
        query = query.where(DeliveryRow.about == about)
    return [_delivery(row) for row in uow.session.scalars(query.limit(min(limit, 1_000)))]


def row_of(uow: UnitOfWork, delivery: str) -> DeliveryRow:
    """Raises: DeliveryMissing."""
    row = uow.session.get(DeliveryRow, delivery) if "\0" not in delivery else None
    if row is None:
        raise DeliveryMissing(noun="delivery", name=delivery)
    return row


def end(uow: UnitOfWork, row: DeliveryRow, state: DeliveryState) -> None:
    """Keep how a delivery ended, without what was secret of it; forget some that are long over."""
    row.state, row.finished_at, row.next_at = state, uow.clock.now(), None
    row.body, row.hidden = _shown(row), None
    row.url = row.secret = None
    old = (
        select(DeliveryRow.id)
        .where(DeliveryRow.finished_at < uow.clock.now() - KEPT)
        .order_by(DeliveryRow.finished_at)
        .limit(_PRUNED_AT_ONCE)
    )
    if found := uow.session.scalars(old).all():
        uow.session.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(found)))


def _shown(row: DeliveryRow) -> str:
    """The body without what is hidden of it."""
    shown = row.body
    for each in msgspec.json.decode(row.hidden, type=list[str]) if row.hidden else ():
        shown = shown.replace(each, HIDDEN)
    return shown


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        id=DeliveryId(row.id),
        kind=row.kind,
        about=row.about,
        to=row.to,
        body=_shown(row),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        status=row.status,
        error=row.error,
        created_at=row.created_at,
        next_at=row.next_at,
        finished_at=row.finished_at,
    )
