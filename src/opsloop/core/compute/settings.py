"""Settings of where heavy work runs."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field

from opsloop.core.settings import Section


class ComputeSettings(Section):
    compute: Literal["local", "ray"] = Field(
        "local",
        description="Where rows of batch runs and fits of training run, and documents of ingests are read; "
        "local: in the process that started them.",
    )
    compute_processes: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="Most fits of a training run at a time here, as a number; unset: half of the processors.",
    )
    ray_address: str | None = Field(
        None,
        description="Ray cluster to run on, as HOST:PORT of its head node, from a machine of the cluster; "
        "unset: a Ray on this machine for the time of the run.",
    )
    ray_workers: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Most workers of a batch, a training run or an ingest on Ray; unset: one for each CPU.",
    )

    @property
    def processes(self) -> int:
        """Fits at a time on this machine."""
        return self.compute_processes or max(1, (os.cpu_count() or 1) // 2)
