"""Settings of flows that are run to be looked at, and of where batches run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from opsloop.core.settings import Section


class FlowSettings(Section):
    flow_runs_kept: int = Field(
        50, ge=1, le=10_000, description="Newest runs of each flow that are kept to be looked at, as a number."
    )
    flow_run_timeout_s: float = Field(
        300.0, gt=0, description="Longest time of a run that is asked for in the console or at /api/flows, in seconds."
    )


class ComputeSettings(Section):
    compute: Literal["local", "ray"] = Field(
        "local", description="Where the rows of batch runs run; local: in the process that started them."
    )
    ray_address: str | None = Field(
        None,
        description="Ray cluster to run on, as HOST:PORT of its head node, from a machine of the cluster; "
        "unset: a Ray on this machine for the time of the run.",
    )
    ray_workers: int | None = Field(
        None, ge=1, le=10_000, description="Most workers of a batch on Ray, as a number; unset: one for each CPU."
    )
