"""What guardrails found of an endpoint in a window that ends now, per arm."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import cast

import msgspec
from sqlalchemy import func, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.models import Action, Direction, Hit
from opsloop.monitoring._tables import RequestRow
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.models import ArmName, HitCount, HitReport

MAX_WINDOW_S = 90 * 86_400
_hits = msgspec.json.Decoder(tuple[Hit, ...])


def report(uow: UnitOfWork, endpoint: str, window_s: int) -> HitReport:
    """Raises: InvalidInput for a window over 90 days."""
    uow.by.require(Role.VIEWER)
    if not 1 <= window_s <= MAX_WINDOW_S:
        raise InvalidInput(field="window", value=window_s, wanted=f"seconds from 1 to {MAX_WINDOW_S}")
    until = uow.clock.now() + timedelta(microseconds=1)
    inside = (
        RequestRow.endpoint == endpoint,
        RequestRow.started_us >= microseconds(until - timedelta(seconds=window_s)),
        RequestRow.started_us < microseconds(until),
    )
    total = uow.session.scalar(select(func.count()).where(*inside)) or 0
    # Requests with the same hits are one row: their texts are few.
    groups = uow.session.execute(
        select(RequestRow.arm, RequestRow.hits, func.count().label("requests"))
        .where(*inside, RequestRow.hits.is_not(None))
        .group_by(RequestRow.arm, RequestRow.hits)
    )
    requests: Counter[tuple[ArmName, str, Direction, Action]] = Counter()
    places: Counter[tuple[ArmName, str, Direction, Action]] = Counter()
    guarded = 0
    for arm, text, count in groups:
        hits = _hits.decode(text or "[]")
        guarded += count if any(hit.action.keeps_back for hit in hits) else 0
        for hit in hits:
            key = (cast(ArmName, arm), hit.kind, hit.direction, hit.action)
            requests[key] += count
            places[key] += count * hit.count
    counts = tuple(HitCount(*key, requests=requests[key], places=places[key]) for key in sorted(requests))
    return HitReport(endpoint, window_s, until, total, guarded, counts)
