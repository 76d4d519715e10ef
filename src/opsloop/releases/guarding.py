"""The guardrails of endpoints.

A policy belongs to the endpoint and not to a release: a rollback that is made because a release is slow must not bring
back weaker guardrails. What only a release needs it declares in its config, under `guardrails`; that comes and goes
with the release, and can only make the endpoint's policy stricter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails import checking, policies
from opsloop.guardrails.errors import GuardrailFailed
from opsloop.guardrails.models import Checked, Direction, Guardrails
from opsloop.guardrails.policy import Policy, default, from_stored, parse
from opsloop.guardrails.screening import ScreenBroken
from opsloop.releases import routing
from opsloop.releases._tables import EndpointRow

KEY = "guardrails"


def of_endpoint(uow: UnitOfWork, endpoint: str) -> Guardrails:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    _check_endpoint(uow, endpoint)
    return policies.of_endpoint(uow, endpoint)


def put(uow: UnitOfWork, endpoint: str, declared: object, *, expected: int | None = None) -> Guardrails:
    """Give an endpoint the guardrails that are declared; gateways follow within a second.

    Raises: NotFound, InvalidInput, PolicyChanged.
    """
    uow.by.require(Role.OPERATOR)
    policy = parse(declared)
    routing.bump(uow)  # others who change this policy wait here
    _check_endpoint(uow, endpoint)
    return policies.put(uow, endpoint, policy, expected=expected)


def check(uow: UnitOfWork, endpoint: str, text: str, direction: Direction) -> Checked:
    """What the endpoint's policy would do with a text. Raises: NotFound, GuardrailFailed."""
    found = of_endpoint(uow, endpoint)
    try:
        return checking.check(text, from_stored(found.policy), direction)
    except ScreenBroken:
        raise GuardrailFailed(endpoint=endpoint) from None


def begin(uow: UnitOfWork, endpoint: str) -> Guardrails:
    """Give a new endpoint the default; the record that it was made tells of it."""
    return policies.begin(uow, endpoint, default())


def check_config(config: Mapping[str, Any]) -> None:
    """Raises: InvalidInput, when a release declares guardrails that are none."""
    if KEY in config:
        parse(config[KEY], f"config.{KEY}")


def of_release(endpoint: Policy, config: Mapping[str, Any]) -> Policy:
    """The policy for a release: the endpoint's, made stricter by what its config declares."""
    declared = config.get(KEY)
    if not isinstance(declared, Mapping):
        return endpoint
    given = {key: value for key, value in declared.items() if value is not None}
    return endpoint.tightened(from_stored({**Policy(stored="keep").declared(), **given}))


def _check_endpoint(uow: UnitOfWork, endpoint: str) -> None:
    if uow.session.get(EndpointRow, endpoint) is None:
        raise NotFound(noun="endpoint", name=endpoint)
