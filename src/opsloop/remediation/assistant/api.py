"""HTTP: ask the operators' assistant."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Asking, Opened
from opsloop.core.web.router import Router
from opsloop.remediation.assistant import service
from opsloop.remediation.assistant.models import Reply

router = Router(tags=["remediations"])


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str = Field(description="1 to 2,000 characters")
    incident: str | None = Field(None, max_length=100, description="the only incident that is looked at")


@router.post("/api/assistant")
async def ask(workspace: Opened, caller: Asking, body: Question) -> Reply:
    """Answer from incidents, alerts, endpoints, changes, failed jobs and runbooks, with citations; it never acts."""
    return await service.ask(workspace, caller, body.question, incident=body.incident)
