"""Read what was used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any

from sqlalchemy import func, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.llm.tabs import NANO
from opsloop.monitoring.usage._tables import UsageRow
from opsloop.monitoring.usage.counting import SUMS
from opsloop.monitoring.usage.models import BY, By, UsageReport, Used

DAYS = 30
MOST_DAYS = 3_660
_COLUMNS = {"day": UsageRow.day, "key": UsageRow.api_key, "endpoint": UsageRow.endpoint, "model": UsageRow.model}


def report(
    uow: UnitOfWork,
    *,
    by: By = "day",
    since: date | None = None,
    until: date | None = None,
    key: str | None = None,
    endpoint: str | None = None,
    model: str | None = None,
) -> UsageReport:
    """Usage of a span of days, in lines by one of `BY`: days in their order, others from the most money to the least.

    Args:
        since: the first day; by default 30 days that end with `until`.
        until: the last day; by default today, of UTC.
        key, endpoint, model: only of these; an empty name is that of requests without a key, of answers without a call.
    Raises: InvalidInput naming the field.
    """
    uow.by.require(Role.VIEWER)
    if by not in BY:
        raise InvalidInput(field="by", value=by, wanted=f"one of {', '.join(BY)}")
    until = until or uow.clock.now().astimezone(UTC).date()
    since = since or until - min(timedelta(days=DAYS - 1), until - date.min)
    if not timedelta() <= until - since < timedelta(days=MOST_DAYS):
        wanted = f"a day up to {until.isoformat()}, within {MOST_DAYS} days of it"
        raise InvalidInput(field="from", value=since.isoformat(), wanted=wanted)
    named = _COLUMNS[by]
    query = select(named, *(func.sum(getattr(UsageRow, name)) for name in SUMS)).group_by(named)
    query = query.where(UsageRow.day >= since, UsageRow.day <= until)
    for column, wish in ((UsageRow.api_key, key), (UsageRow.endpoint, endpoint), (UsageRow.model, model)):
        if wish is not None:
            query = query.where(column == wish)
    rows = uow.session.execute(query).all()
    sums = [sum(int(row[index]) for row in rows) for index in range(1, len(SUMS) + 1)]
    items = [_used(_name(row[0]), row[1:]) for row in rows]
    items.sort(key=(lambda each: each.name) if by == "day" else _most_first)
    return UsageReport(by, since, until, tuple(items), _used("total", sums))


def _most_first(used: Used) -> tuple[Any, ...]:
    return (-used.cost_usd, -(used.tokens_in + used.tokens_out), -used.requests, used.name)


def _name(found: object) -> str:
    return found.isoformat() if isinstance(found, date) else str(found)


def _used(name: str, sums: Sequence[Any]) -> Used:
    requests, errors, calls, tokens_in, tokens_out, nano_usd, unpriced = (int(each) for each in sums)
    return Used(name, requests, errors, calls, tokens_in, tokens_out, nano_usd / NANO, unpriced)
