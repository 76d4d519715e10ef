"""When an attempt speaks against the release that made it."""

from __future__ import annotations

from opsloop.monitoring.models import RequestRecord


def has_failed(record: RequestRecord) -> bool:
    """Whether the release failed: a request that was wrong in itself (4xx) speaks against no release."""
    return record.status == "error" and not 400 <= record.http_status < 500
