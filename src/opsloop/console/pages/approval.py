"""`/rollouts/{id}/approval`: the yes or no that a rollout waits for, with what it is decided on."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Request
from fastapi.responses import Response

from opsloop.console import evidence, words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.releases import approvals, rollouts
from opsloop.releases.errors import NothingToApprove

router = PageRouter()


@router.get("/rollouts/{rollout}/approval")
def confirm(request: Request, uow: Reading, rollout: str) -> Response:
    """Raises: Denied, NotFound, NothingToApprove."""
    uow.by.require(Role.OPERATOR)
    history = rollouts.get(uow, rollout)
    shown, asked = history.rollout, history.waits_for
    if asked is None:
        raise NothingToApprove(rollout=rollout, status=shown.status.value.replace("_", " "))
    here = f"/rollouts/{words.segment(rollout)}"
    frame = Frame(
        f"{asked.action[:1].upper()}{asked.action[1:]}?",
        trail=(Place("Overview", "/"), Place(shown.endpoint, f"/endpoints/{words.segment(shown.endpoint)}"),
               Place(f"Rollout of release {shown.number}", here)),
        cli=f"opsloop release approve {shown.endpoint} --digest {asked.digest[:16]}",
        json=f"/api{here}",
    )  # fmt: skip
    seen = asked.shown.get("evidence", {})
    return page(
        request,
        "approval.html",
        frame,
        rollout=shown,
        asked=asked,
        facts=evidence.facts(seen),
        troubles=evidence.troubles(seen),
        here=here,
        now=uow.clock.now(),
    )


@router.post("/rollouts/{rollout}/approval")
def decide(
    uow: Writing,
    rollout: str,
    digest: Annotated[str, Form(max_length=100)],
    answer: Annotated[Literal["yes", "no"], Form()],
    reason: Annotated[str, Form(max_length=approvals.LONGEST_REASON)] = "",
) -> Response:
    """Raises: Denied, NotFound, InvalidInput, RolloutIsOver, NothingToApprove, ApprovalExpired, AnotherShown."""
    if answer == "yes":
        approvals.approve(uow, rollout, digest=digest, reason=reason)
    else:
        approvals.reject(uow, rollout, digest=digest, reason=reason)
    return see_other(f"/rollouts/{words.segment(rollout)}")
