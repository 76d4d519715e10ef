"""Settings of what is watched and kept."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from opsloop.core.settings import Section


class MonitoringSettings(Section):
    records_flush_s: float = Field(
        0.1, gt=0, le=0.2, description="Time that records are gathered before they go to the database, in seconds."
    )
    spool_limit_bytes: int = Field(
        1_000_000_000, ge=1_000_000, description="Largest size of records that wait on disk for the database, in bytes."
    )
    predictions_kept_rows: int = Field(
        1000, ge=0, le=100_000, description="How many rows of one request are kept with their predictions; 0: none."
    )
    provider_down_after_s: float = Field(
        60.0,
        ge=0,
        le=86_400,
        description="Time that a model server must be left alone until it is told as down, in seconds.",
    )
    predictions_kept_days: float = Field(
        30, gt=0, description="Time that rows are kept with their predictions, as a number of days."
    )
    predictions_kept_total: int = Field(
        5_000_000, ge=1000, description="How many rows of one endpoint are kept with their predictions; the oldest go."
    )
    drift_checkpoint_s: float = Field(
        10.0, gt=0, le=3600, description="Time between two checkpoints of a drift detector, in seconds."
    )
    drift_webhook: str | None = Field(
        None,
        # The second is what single-model services are used to.
        validation_alias=AliasChoices("OPSLOOP_DRIFT_WEBHOOK", "DRIFT_WEBHOOK", "drift_webhook"),
        description="Where drift alarms of every endpoint are told, as a URL; of Slack's too.",
        repr=False,
    )
    drift_webhook_secret: str | None = Field(
        None, description="Secret with which what is sent there is signed.", repr=False
    )
