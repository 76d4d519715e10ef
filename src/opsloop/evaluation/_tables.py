from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class RunRow(Row):
    __tablename__ = "evaluation_runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    experiment: Mapped[str] = mapped_column(index=True)
    # The experiment as it was declared: what the job does and the gate asks.
    declared: Mapped[dict[str, Any]]
    flow: Mapped[str] = mapped_column(index=True)
    flow_digest: Mapped[str]
    datasets: Mapped[list[Any]]
    status: Mapped[str]
    metrics: Mapped[dict[str, Any]]
    rows: Mapped[int]
    failed_rows: Mapped[int]
    results: Mapped[str | None]
    verdict: Mapped[str | None]
    error: Mapped[str | None] = mapped_column(Text)
    job: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    created_by: Mapped[str]
    finished_at: Mapped[datetime | None]
    variant: Mapped[str] = mapped_column(default="", server_default="")
    study: Mapped[str | None] = mapped_column(index=True)
    aggregates: Mapped[dict[str, Any] | None]
    cut: Mapped[str | None] = mapped_column(Text)
    warnings: Mapped[list[Any] | None]
    cost_usd: Mapped[float | None]
    prompt_tokens: Mapped[int | None] = mapped_column(BigInteger)
    completion_tokens: Mapped[int | None] = mapped_column(BigInteger)


class GateReportRow(Row):
    __tablename__ = "evaluation_gate_reports"

    id: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("evaluation_runs.id"), index=True)
    baseline: Mapped[str | None]
    verdict: Mapped[str]
    sentence: Mapped[str] = mapped_column(Text)
    alpha: Mapped[float]
    decisions: Mapped[list[Any]]
    waiting: Mapped[list[Any]]
    # Empty in reports that were kept before there were notes.
    notes: Mapped[list[Any] | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
