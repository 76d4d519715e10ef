"""`/playbooks`: how far each may go here, what it achieved, what it lacks for more, and its rehearsal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response

from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.console.words import segment
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.remediation import autonomy, service
from opsloop.remediation.actions.registry import action_of
from opsloop.remediation.models import Standing
from opsloop.remediation.playbooks.registry import playbook_of

router = PageRouter()
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One that a rehearsal is told. Args: about: what it is, empty when its name says it."""

    name: str
    is_text: bool
    is_required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Line:
    """A playbook in an environment.

    Args:
        anchor: unique on the page; of the first line of a playbook it is its name.
        parameters: of a rehearsal; empty when it has none, or when a line above offers it.
    """

    anchor: str
    standing: Standing
    does: str
    parameters: tuple[Parameter, ...]


@router.get("/playbooks")
def listed(request: Request, uow: Reading) -> Response:
    lines = list(_lines(autonomy.standings(uow)))
    frame = Frame(
        "Playbooks",
        trail=(Place("Repairs", "/remediations"),),
        cli="opsloop remediation playbooks",
        json="/api/remediations/playbooks",
    )
    return page(request, "playbooks.html", frame, lines=lines, now=uow.clock.now())


def _lines(standings: Iterable[Standing]) -> Iterator[Line]:
    seen = set[str]()
    for each in standings:
        is_first = each.playbook not in seen
        seen.add(each.playbook)
        anchor = each.playbook if is_first else f"{each.playbook}-{each.environment}"
        yield Line(anchor, each, each.level.does, parameters(each.action) if is_first else ())


async def _given(request: Request) -> dict[str, str]:
    """The fields of a form whose names each playbook has its own of."""
    form = await request.form(max_files=0, max_fields=100)
    return {name: value for name, value in form.items() if isinstance(value, str)}


@router.post("/playbooks/{playbook}/rehearse")
def rehearse(
    workspace: Opened, caller: Asking, playbook: str, given: Annotated[dict[str, str], Depends(_given)]
) -> Response:
    """Raises: Denied, InvalidInput, Halted, and what the dry run raises."""
    known = parameters(playbook_of(workspace, playbook).action)
    told = {each.name: value for each in known if (value := _value(each, given.get(each.name, ""))) is not None}
    found = service.rehearse(workspace, caller, playbook, told)
    return see_other(f"/remediations/{segment(found.id)}")


def parameters(action: str) -> tuple[Parameter, ...]:
    """What an action that has an undo is told."""
    if not action or not action_of(action).can_undo:
        return ()
    fields = action_of(action).form.model_fields.items()
    return tuple(
        Parameter(name, each.annotation is str, each.is_required(), each.description or "") for name, each in fields
    )


def _value(parameter: Parameter, given: str) -> Any:
    """As the action takes it; None when nothing is given. Raises: InvalidInput."""
    if not given.strip():
        return None
    if len(given) > LONGEST:
        raise InvalidInput(field=parameter.name, value=given, wanted=f"at most {LONGEST:,} characters")
    if parameter.is_text:
        return given.strip()
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return given.strip()
