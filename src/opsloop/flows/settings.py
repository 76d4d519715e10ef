"""Settings of flows that are run to be looked at."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class FlowSettings(Section):
    flow_runs_kept: int = Field(
        50, ge=1, le=10_000, description="Newest runs of each flow that are kept to be looked at, as a number."
    )
    flow_run_timeout_s: float = Field(
        300.0, gt=0, description="Longest time of a run that is asked for in the console or at /api/flows, in seconds."
    )
