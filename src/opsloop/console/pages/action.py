"""`/endpoints/{name}/{action}`: what an action would change, and the form that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Form, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Role
from opsloop.core.errors import Conflict
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import rollouts
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState, Rollout

router = PageRouter()
Action = Literal["promote", "pause", "resume", "rollback", "abort"]
_MOVES: dict[Action, Callable[[UnitOfWork, str], Rollout]] = {
    "promote": rollouts.promote,
    "pause": rollouts.pause,
    "resume": rollouts.resume,
    "rollback": rollouts.roll_back,
    "abort": rollouts.abort,
}
TITLES: dict[Action, str] = {
    "promote": "Promote",
    "pause": "Pause",
    "resume": "Resume",
    "rollback": "Roll back",
    "abort": "Give up",
}


class ChangedMeanwhile(Conflict):
    template = "endpoint {endpoint} changed after the page was shown; look at it again, then decide"


class NothingToDo(Conflict):
    template = "endpoint {endpoint} has no rollout under way, so there is nothing to {action}"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing before and after."""

    what: str
    before: str
    after: str


def changes(state: EndpointState, action: Action) -> tuple[Change, ...]:
    """What the action would change. Raises: NothingToDo."""
    name, rollout = state.endpoint.name, _under_way(state)
    if rollout is None:
        if action != "rollback" or state.stable is None:
            raise NothingToDo(endpoint=name, action=action.replace("rollback", "roll back"))
        served = f"release {state.stable.number} ({state.stable.serves})"
        return (Change("Everybody is served by", served, f"the release that served before {state.stable.number}"),)
    if action in ("pause", "resume"):
        goes_on = "it goes up step by step on evidence"
        stays = f"it stays at {words.percent(rollout.share)} until somebody resumes it; worse is still taken back"
        before, after = (goes_on, stays) if action == "pause" else (stays, goes_on)
        return (Change(f"Share of release {rollout.number}", before, after),)
    share = 1.0 if action == "promote" else 0.0
    others = f"{words.percent(1 - rollout.share)} of users", f"{words.percent(1 - share)} of users"
    return (
        Change(f"Release {rollout.number}, the candidate", f"{words.percent(rollout.share)} of users", _users(share)),
        *((Change(f"Release {rollout.stable_number}, stable", *others),) if rollout.stable_number else ()),
        Change("Rollout", rollout.status.value.replace("_", " "), _end(action)),
    )


def _users(share: float) -> str:
    return "100 % of users" if share else "0 % of users"


def _end(action: Action) -> str:
    return {"promote": "over: promoted", "rollback": "over: rolled back"}.get(
        action, "over: given up, without a verdict"
    )


def _under_way(state: EndpointState) -> Rollout | None:
    return state.rollout if state.rollout is not None and not state.rollout.status.is_over else None


@router.get("/endpoints/{name}/{action}")
def confirm(request: Request, uow: Reading, name: str, action: Action) -> Response:
    uow.by.require(Role.OPERATOR)
    state = releases.endpoint(uow, name)
    here = f"/endpoints/{words.segment(name)}"
    frame = Frame(
        f"{TITLES[action]}?",
        trail=(Place("Overview", "/"), Place(name, here)),
        cli=f"opsloop release {action} {name}",
        json=f"/api{here}",
    )
    rollout = _under_way(state)
    return page(
        request,
        "action.html",
        frame,
        state=state,
        action=action,
        title=TITLES[action],
        rollout=rollout,
        changes=changes(state, action),
        here=here,
    )


@router.post("/endpoints/{name}/{action}")
def act(
    uow: Writing,
    name: str,
    action: Action,
    rollout: Annotated[str, Form(max_length=100)] = "",
    stable: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Do it, if the endpoint is still as the page showed it."""
    state = releases.endpoint(uow, name)
    present = _under_way(state)
    if (present.id if present else "") != rollout or (state.stable.id if state.stable else "") != stable:
        raise ChangedMeanwhile(endpoint=name)
    if present is not None:
        _MOVES[action](uow, present.id)
    elif action == "rollback":
        releases.roll_back(uow, name)
    else:
        raise NothingToDo(endpoint=name, action=action)
    return see_other(f"/endpoints/{words.segment(name)}?did={action}")
