"""Answers that were given, with their texts, and what people say of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.feedback import service as feedback
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord, Texts


def answered(
    workspace: Workspace,
    by: Caller,
    request_id: str,
    question: str | None = None,
    answer: str = "20 days.",
    *,
    endpoint: str = "chat",
    release: str = "release_1",
    arm: Any = "stable",
    rollout: str | None = None,
    share: float = 0.0,
    subject: str | None = None,
    at: datetime | None = None,
    turns: int = 0,
) -> None:
    """A request that an endpoint answered; without a question its texts are not kept."""
    texts = None if question is None else Texts(question=question, answer=answer, days=30, earlier_turns=turns)
    record = RequestRecord(
        request_id=request_id,
        endpoint=endpoint,
        release=release,
        arm=arm,
        rollout=rollout,
        candidate_share=share,
        subject=subject or f"subject-{request_id}",
        started_at=at or workspace.clock.now(),
        duration_ms=1.0,
        status="ok",
        texts=texts,
    )
    with workspace.writing(by) as uow:
        records.ingest(uow, [record])


def rate(workspace: Workspace, by: Caller, request_id: str, **given: Any) -> None:
    with workspace.writing(by) as uow:
        feedback.add(uow, request_id, **given)
