"""What people say of answers: a week of it, with tickets and a survey."""

from __future__ import annotations

from dataclasses import replace

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.feedback import service as feedback
from opsloop.feedback.surveys import service as surveys
from opsloop.feedback.tickets import service as tickets
from opsloop.feedback.tickets.models import TicketGiven
from opsloop.improvement.weeks import service as weeks
from opsloop.improvement.weeks import week as calendar
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord, Texts

SURVEY = {
    "title": "How did we do?",
    "intro": "Two questions on the answer that you got.",
    "questions": [
        {"id": "csat", "kind": "csat", "ask": "How satisfied are you with the answer?"},
        {"id": "recommend", "kind": "nps", "ask": "How likely are you to recommend us?", "required": False},
        {"id": "topic", "kind": "choice", "ask": "What was it about?", "options": ["Leave", "Pay"], "required": False},
        {"id": "why", "kind": "text", "ask": "What should we do better?"},
    ],
}
ASKED = (
    *(
        "How many days of leave do I have?",
        "Do days of leave expire?",
        "Who signs my leave?",
        "Leave in my first year?",
    ),
    *("Is a dental crown covered?", "Dental cleaning for children?", "Which dental plan is cheaper?", "Dental braces?"),
)


def said(workspace: Workspace, by: Caller, hostile: str) -> dict[str, str]:
    """Returns ids: `answer`, `hostile_answer`, `week`, `invitation` (the path of its form)."""
    now = workspace.clock.now()
    made = [
        RequestRecord(
            request_id=f"said-{number}",
            endpoint="help-desk",
            release="release_help",
            arm="stable",
            subject=f"subject-{number}",
            started_at=now,
            duration_ms=10.0,
            status="ok",
            texts=Texts(question=question, answer="I do not know.", days=30, earlier_turns=number % 2),
        )
        for number, question in enumerate((*ASKED, hostile))
    ]
    with workspace.writing(by) as uow:
        records.ingest(uow, made)
        for number in range(len(made)):
            feedback.add(uow, f"said-{number}", thumb="down", comment="no help", tags=["hr"])
        feedback.add(uow, "said-0", csat=2, comment=hostile, correction="You have 28 days of leave.")
        feedback.add(uow, "unknown", thumb="up")
        link = "https://desk.example.com/17"
        tickets.take(
            uow,
            "desk",
            [
                TicketGiven("17", "Wrong days of leave", status="open", link=link, request_id="said-0", opened_at=now),
                TicketGiven("18", hostile, body=hostile),
            ],
        )
        surveys.declare(uow, "after-chat", SURVEY)
        invitation = surveys.invite(uow, "after-chat", request_id="said-1")
        surveys.respond(uow, surveys.invite(uow, "after-chat").id, {"csat": 4, "recommend": 9})
        week = calendar.of(now)
        weeks.keep(uow, replace(weeks.made(uow, week), is_over=True))
    return {"answer": "said-0", "hostile_answer": "said-8", "week": str(week), "invitation": invitation.path}
