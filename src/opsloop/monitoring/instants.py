"""Instants as tables keep them: microseconds since 1970 UTC, with which both databases do the same arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(started_us: int) -> datetime:
    return _EPOCH + started_us * _MICROSECOND
