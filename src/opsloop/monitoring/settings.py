"""Settings of the spool."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class MonitoringSettings(Section):
    records_flush_s: float = Field(
        0.1, gt=0, le=0.2, description="Time that records are gathered before they go to the database, in seconds."
    )
    spool_limit_bytes: int = Field(
        1_000_000_000, ge=1_000_000, description="Largest size of records that wait on disk for the database, in bytes."
    )
