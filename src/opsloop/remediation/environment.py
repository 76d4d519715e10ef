"""Which environment a repair acts in: that of the endpoint which its action changes, else the platform's.

Only what the action itself is told counts. An incident's endpoint is text of others, and an action that changes
something else would be held as lightly as that endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import service as releases
from opsloop.remediation.actions.action import Action
from opsloop.remediation.settings import RemediationSettings

ENDPOINT = "endpoint"
"""The parameter by which actions of ours name the endpoint that they change."""


def environment_of(uow: UnitOfWork, parameters: Mapping[str, Any]) -> str:
    named = parameters.get(ENDPOINT)
    if isinstance(named, str) and named and "\0" not in named:
        try:
            declared = releases.endpoint(uow, named).endpoint.environment
        except NotFound:
            declared = None
        if declared is not None:
            return declared
    return here(uow)


def environments(uow: UnitOfWork, action: Action | None) -> list[str]:
    """Those in which an action can act: the platform's first, then those that endpoints declare."""
    if action is None or ENDPOINT not in action.form.model_fields:
        return [here(uow)]
    declared = {each.endpoint.environment for each in releases.endpoints(uow)} - {None}
    return list(dict.fromkeys([here(uow), *sorted(each for each in declared if each is not None)]))


def here(uow: UnitOfWork) -> str:
    """The platform's own."""
    return uow.workspace.section(RemediationSettings).remediation_environment
