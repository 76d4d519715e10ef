"""Cron expressions, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from opsloop.core.errors import InvalidInput


def next_occurrence(cron: str, after: datetime) -> datetime:
    """Raises: InvalidInput when `cron` is not five fields of a cron expression."""
    try:
        return next(CronSim(cron, after.astimezone(UTC)))
    except (CronSimError, StopIteration) as error:
        raise InvalidInput(field="cron", value=cron, wanted="five cron fields, e.g. '0 3 * * *' (03:00 UTC)") from error


def check(cron: str) -> None:
    """Raises: InvalidInput."""
    next_occurrence(cron, datetime(2026, 1, 1, tzinfo=UTC))
