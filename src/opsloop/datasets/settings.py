"""Settings of datasets."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class DatasetSettings(Section):
    dataset_limit_bytes: int = Field(
        4_000_000_000, gt=0, description="Largest file that is registered as a dataset, in bytes; uploads too."
    )
    dataset_memory_bytes: int = Field(
        500_000_000,
        ge=100_000_000,
        description="Memory that work on one dataset may take before it goes on in files, in bytes.",
    )
    dataset_query_timeout_s: float = Field(
        30.0, gt=0, description="Time that a query over datasets may take, in seconds."
    )
    dataset_query_rows: int = Field(
        10_000, gt=0, description="Most rows that a query over datasets gives back, as a count."
    )
