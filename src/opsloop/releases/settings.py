"""How rollouts are driven."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class RolloutSettings(Section):
    rollout_tick_s: float = Field(
        0.25, gt=0, le=60, description="Longest wait between two looks at a running rollout, in seconds."
    )
    rollout_settle_s: float = Field(
        5.0, ge=0, le=600, description="How long records are still counted after a rollout's end, in seconds."
    )
