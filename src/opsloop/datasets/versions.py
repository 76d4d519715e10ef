"""Which version a text names, by number, tag or time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from sqlalchemy import Select, select

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets._tables import DatasetMoveRow, DatasetRow, DatasetVersionRow
from opsloop.datasets.errors import DatasetMissing

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
LATEST = "latest"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ].+")


def named(uow: UnitOfWork, ref: str) -> DatasetVersionRow:
    """The row of the version that a text names, as `service.get` tells. Raises: DatasetMissing, InvalidInput."""
    name, _, which = ref.partition("@")
    if not NAME.fullmatch(name):
        raise missing(uow, ref)
    query = select(DatasetVersionRow).where(DatasetVersionRow.name == name)
    instant = moment(which)
    if which in ("", LATEST):
        query = query.join(DatasetRow, DatasetRow.name == DatasetVersionRow.name)
        row = uow.session.scalar(query.where(DatasetVersionRow.version == DatasetRow.current))
    elif instant is not None:
        row = _current_at(uow, name, query, instant)
    elif which.isdecimal():
        row = uow.session.scalar(query.where(DatasetVersionRow.version == min(int(which[:10]), 2**31 - 1)))
    else:
        newest_first = uow.session.scalars(query.order_by(DatasetVersionRow.version.desc()))
        row = next((each for each in newest_first if which in each.tags), None)
    if row is None:
        raise missing(uow, ref, since=_first(uow, name) if instant is not None else None)
    return row


def note_current(uow: UnitOfWork, dataset: DatasetRow, version: int) -> None:
    """Let the bare name stand for a version from now on."""
    if dataset.current != version:
        dataset.current = version
        uow.session.add(DatasetMoveRow(name=dataset.name, version=version, at=uow.clock.now()))


def moment(which: str) -> datetime | None:
    """The instant that `2026-11-20` (the end of that day, UTC) or `2026-11-20T10:00:00Z` means; None for other texts.

    Raises: InvalidInput for a day or time that there is not.
    """
    is_day = _DAY.fullmatch(which) is not None
    if not is_day and not _INSTANT.fullmatch(which):
        return None
    try:
        found = datetime.fromisoformat(which)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return found + timedelta(days=1) - timedelta(microseconds=1) if is_day else found
    except (ValueError, OverflowError):
        wanted = "a day or an instant such as 2026-11-20 or 2026-11-20T10:00:00Z"
        raise InvalidInput(field="version", value=which, wanted=wanted) from None


def missing(uow: UnitOfWork, ref: str, *, since: datetime | None = None) -> DatasetMissing:
    """What to say of a version that is not there, with the nearest known name."""
    name = ref.partition("@")[0]
    known = uow.session.scalars(select(DatasetRow.name).limit(1_000)).all()
    close = [] if name in known else get_close_matches(name, known, n=1)
    near = f"; did you mean {close[0]!r}?" if close else ""
    if since is not None:
        near = f"; its first version is of {since:%Y-%m-%dT%H:%M:%SZ}"
    return DatasetMissing(noun="dataset", name=ref, bare=name, near=near)


def _current_at(uow: UnitOfWork, name: str, query: Select[DatasetVersionRow], at: datetime) -> DatasetVersionRow | None:
    version = uow.session.scalar(
        select(DatasetMoveRow.version)
        .where(DatasetMoveRow.name == name, DatasetMoveRow.at <= at)
        .order_by(DatasetMoveRow.at.desc(), DatasetMoveRow.seq.desc())
        .limit(1)
    )
    return None if version is None else uow.session.scalar(query.where(DatasetVersionRow.version == version))


def _first(uow: UnitOfWork, name: str) -> datetime | None:
    query = select(DatasetMoveRow.at).where(DatasetMoveRow.name == name).order_by(DatasetMoveRow.at).limit(1)
    return uow.session.scalar(query)
