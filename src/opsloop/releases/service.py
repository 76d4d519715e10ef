"""Endpoints and their releases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import rfc8785
from sqlalchemy import select

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import gates, going_back, guarding, model_config, recalls, rollouts, routing, served
from opsloop.releases._tables import EndpointRow, ReleaseRow, RolloutRow
from opsloop.releases.errors import EndpointExists, NoEarlierRelease, NothingReleased, RolloutGoesOn, ServedAlready
from opsloop.releases.models import Endpoint, EndpointState, Environment, Kind, Release, Released, ReleaseId
from opsloop.releases.plan_fitting import fitted
from opsloop.releases.strategies.registry import plan_of

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
DEFAULT_STRATEGY = "canary"


def create_endpoint(uow: UnitOfWork, name: str) -> Endpoint:
    """A new endpoint that serves nothing yet. Raises: InvalidInput, EndpointExists."""
    uow.by.require(Role.OPERATOR)
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            field="name", value=name, wanted="1 to 63 lower-case letters, digits, dots, dashes or underscores"
        )
    number = routing.bump(uow)  # others who make endpoints wait here, so that the name is looked up after they are done
    if uow.session.get(EndpointRow, name) is not None:
        raise EndpointExists(name=name)
    row = EndpointRow(
        name=name,
        kind="flow",
        number=number,
        stable=None,
        earlier=[],
        releases=0,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )
    uow.session.add(row)
    guardrails = guarding.begin(uow, name)
    uow.audit("endpoint.created", f"endpoint/{name}", kind=row.kind, guardrails=guardrails.policy)
    return _endpoint(row)


def endpoints(uow: UnitOfWork) -> list[EndpointState]:
    """Every endpoint with what it serves, in the order they were made."""
    uow.by.require(Role.VIEWER)
    return [_state(uow, row) for row in uow.session.scalars(select(EndpointRow).order_by(EndpointRow.number))]


def endpoint(uow: UnitOfWork, name: str) -> EndpointState:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    return _state(uow, _found(uow, name))


def set_environment(uow: UnitOfWork, endpoint: str, wanted: Environment | None) -> None:
    """Say which environment an endpoint is of from now on. Raises: NotFound."""
    uow.by.require(Role.OPERATOR)
    row = rollouts.lock_endpoint(uow, endpoint)
    if row.environment == wanted:
        return
    before, row.environment = row.environment, wanted
    uow.audit("endpoint.environment", f"endpoint/{endpoint}", environment=wanted, before=before)


def releases(uow: UnitOfWork, endpoint: str) -> list[Release]:
    """Releases of an endpoint, the newest first. Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    _found(uow, endpoint)
    query = select(ReleaseRow).where(ReleaseRow.endpoint == endpoint).order_by(ReleaseRow.number.desc())
    return [_release(row) for row in uow.session.scalars(query)]


def releases_of(uow: UnitOfWork, version: str, *, limit: int = 100) -> list[Release]:
    """Releases of every endpoint that serve a version such as `iris@3`, the newest first."""
    uow.by.require(Role.VIEWER)
    query = select(ReleaseRow).where(ReleaseRow.serves == version)
    query = query.order_by(ReleaseRow.created_at.desc(), ReleaseRow.id.desc())
    return [_release(row) for row in uow.session.scalars(query.limit(max(1, min(limit, 1_000))))]


def create_release(
    uow: UnitOfWork,
    endpoint: str,
    *,
    flow: str | None = None,
    model: str | None = None,
    config: Mapping[str, Any] | None = None,
    evaluation: str | None = None,
    strategy: object = None,
) -> Released:
    """Let a version of a flow or of a model in through its gate and begin to roll it out.

    The first release of an endpoint serves at once; a later one goes the way of its strategy.

    Args:
        flow: `name@2`, or a name for its newest version; None where a model is released.
        model: `name@3`, `name@challenger`, or a name for its newest version.
        config: settings of the release, JSON values.
        evaluation: id of the run whose gate speaks for this version.
        strategy: a name, or a mapping of a name to its options; the canary's defaults when there is none.
    Raises: NotFound, InvalidInput, KindsMixed, GateNotMet, Recalled, RolloutGoesOn, ServedAlready.
    """
    uow.by.require(Role.OPERATOR)
    plan = plan_of(DEFAULT_STRATEGY if strategy is None else strategy)
    version = served.wanted(uow, flow=flow, model=model)
    plan = fitted(plan, version)
    row = rollouts.lock_endpoint(uow, endpoint)
    present = rollouts.active(uow, endpoint)
    if present is not None:
        raise RolloutGoesOn(endpoint=endpoint, rollout=present.id, number=present.number, status=present.status)
    recalls.check(uow, version.digest, version.ref)
    served.check_kind(row, version)
    stable = uow.session.get(ReleaseRow, row.stable) if row.stable else None
    config = dict(config or {})
    model_config.check(version, config)
    guarding.check_config(config)
    digest = _digest(kind=row.kind, serves_digest=version.digest, config=config, evaluation=evaluation)
    if stable is not None and stable.digest == digest:
        raise ServedAlready(endpoint=endpoint, number=stable.number)
    verdict = gates.admit(uow, endpoint, version, evaluation=evaluation, stable=stable)
    row.releases += 1
    release = ReleaseRow(
        id=uow.ids.new("release"),
        endpoint=endpoint,
        number=row.releases,
        kind=row.kind,
        serves=version.ref,
        serves_digest=version.digest,
        serves_artifact=version.artifact,
        config=config,
        evaluation=evaluation,
        gate=verdict,
        digest=digest,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )
    uow.session.add(release)
    uow.session.flush()
    uow.audit(
        "release.created",
        f"endpoint/{endpoint}",
        release=release.id,
        number=release.number,
        serves=version.ref,
        digest=digest,
        evaluation=evaluation,
        gate=verdict,
    )
    rollout = rollouts.open_rollout(uow, row, release, plan)
    return Released(_release(release), rollouts.as_rollout(rollout))


def roll_back(uow: UnitOfWork, endpoint: str) -> EndpointState:
    """Back to safety: out of a rollout that goes on, else to the release before the stable one.

    Raises: NotFound, NoEarlierRelease, NothingReleased.
    """
    uow.by.require(Role.OPERATOR)
    row = rollouts.lock_endpoint(uow, endpoint)
    present = rollouts.active(uow, endpoint)
    if present is not None:
        rollouts.take_back(uow, present, reason=f"rolled back by {uow.by.name}")
    else:
        _back_to_earlier(uow, row)
    uow.session.flush()
    return _state(uow, row)


def _back_to_earlier(uow: UnitOfWork, row: EndpointRow) -> None:
    if row.stable is None:
        raise NothingReleased(endpoint=row.name)
    target = going_back.target_of(uow, row)
    if target is None:
        raise NoEarlierRelease(endpoint=row.name, number=uow.session.get_one(ReleaseRow, row.stable).number)
    going_back.go_back(uow, row, target, why=f"asked by {uow.by.name}")


def _digest(*, kind: str, serves_digest: str, config: Mapping[str, Any], evaluation: str | None) -> str:
    bundle = {kind: serves_digest, "config": dict(config), "evaluation": evaluation}
    try:
        return sha256_hex(rfc8785.dumps(bundle))
    except rfc8785.CanonicalizationError as error:
        raise InvalidInput(f"config: {error}; wanted JSON values", field="config") from error


def _found(uow: UnitOfWork, name: str) -> EndpointRow:
    row = uow.session.get(EndpointRow, name)
    if row is None:
        raise NotFound(noun="endpoint", name=name)
    return row


def _state(uow: UnitOfWork, row: EndpointRow) -> EndpointState:
    newest = uow.session.scalar(
        select(RolloutRow).where(RolloutRow.endpoint == row.name).order_by(RolloutRow.number.desc()).limit(1)
    )
    stable = uow.session.get(ReleaseRow, row.stable) if row.stable else None
    candidate = uow.session.get(ReleaseRow, newest.release) if newest is not None and newest.active else None
    return EndpointState(
        endpoint=_endpoint(row),
        stable=_release(stable) if stable else None,
        candidate=_release(candidate) if candidate else None,
        rollout=rollouts.as_rollout(newest) if newest else None,
    )


def _endpoint(row: EndpointRow) -> Endpoint:
    return Endpoint(
        row.name,
        cast(Kind, row.kind),
        row.created_at,
        row.created_by,
        row.keep_texts,
        cast(Environment | None, row.environment),
    )


def _release(row: ReleaseRow) -> Release:
    return Release(
        id=ReleaseId(row.id),
        endpoint=row.endpoint,
        number=row.number,
        kind=cast(Kind, row.kind),
        serves=row.serves,
        serves_digest=row.serves_digest,
        serves_artifact=row.serves_artifact,
        config=row.config,
        evaluation=row.evaluation,
        gate=row.gate,
        digest=row.digest,
        created_at=row.created_at,
        created_by=row.created_by,
        left_for=row.left_for,
    )
