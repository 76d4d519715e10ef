"""HTTP: what Slack tells when somebody presses a button."""

from __future__ import annotations

from fastapi import Request

from opsloop.core.web.body import RawBody
from opsloop.core.web.dependencies import Opened
from opsloop.core.web.router import Router
from opsloop.remediation.slack.answering import Answer, answer

router = Router(tags=["remediations"])


@router.post("/webhooks/slack")
def pressed(workspace: Opened, request: Request, body: RawBody) -> Answer:
    """A yes or no to a repair, with Slack's signature; stored before it is answered."""
    return answer(workspace, request.headers, body)
