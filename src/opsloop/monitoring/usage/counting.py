"""Add records to the days they belong to, in the transaction that stores them: the sums are never behind, nor twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date
from functools import cache
from typing import cast

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.usage._tables import UsageRow

SUMS = ("requests", "errors", "calls", "tokens_in", "tokens_out", "nano_usd", "unpriced")
_AT = ("day", "endpoint", "api_key", "model")
_TABLE = cast(Table, UsageRow.__table__)
_Place = tuple[date, str, str, str]


def count(uow: UnitOfWork, records: Iterable[RequestRecord]) -> None:
    """Args: records: that were counted never before."""
    sums: dict[_Place, list[int]] = defaultdict(lambda: [0] * len(SUMS))
    for record in records:
        _add(sums, record)
    # In one order everywhere: two writers never wait for each other in a ring.
    rows = [{**dict(zip(_AT, at, strict=True)), **dict(zip(SUMS, sums[at], strict=True))} for at in sorted(sums)]
    if rows:
        # One statement for any number of rows: it is compiled once, not for each number anew.
        uow.session.connection().execute(_adding(is_sqlite=uow.workspace.database.is_sqlite), rows)


@cache
def _adding(*, is_sqlite: bool) -> Executable:
    new = (sqlite.insert if is_sqlite else postgresql.insert)(_TABLE)
    more = {name: _TABLE.c[name] + new.excluded[name] for name in SUMS}
    return new.on_conflict_do_update(index_elements=list(_AT), set_=more)


def _add(sums: dict[_Place, list[int]], record: RequestRecord) -> None:
    """A request's own count of tokens is an estimate of the same where its calls were counted."""
    day = record.started_at.astimezone(UTC).date()
    is_asked = not (record.shadow or record.shielded)  # by a caller: the others stand beside the answer of stable
    own = sums[day, record.endpoint, record.api_key, ""]
    own[0] += is_asked
    own[1] += is_asked and record.status == "error"
    if not record.calls:
        own[3] += record.tokens_in
        own[4] += record.tokens_out
    for each in record.calls:
        theirs = sums[day, record.endpoint, record.api_key, each.model]
        for index, amount in enumerate((each.calls, each.tokens_in, each.tokens_out, each.nano_usd, each.unpriced), 2):
            theirs[index] += amount
