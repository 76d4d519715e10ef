"""Who is served by which release: the table that every gateway holds, and the choice for one subject.

A change of weights and the new version of the table are one transaction, so a gateway that sees the version sees the
weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails import policies
from opsloop.guardrails.policy import NOTHING, Policy
from opsloop.releases._tables import EndpointRow, ReleaseRow, RolloutRow, RoutingRow
from opsloop.releases.errors import NothingReleased
from opsloop.releases.kept_texts import KeepTexts
from opsloop.releases.models import Kind
from opsloop.releases.plan import SHADOW_STEP, from_stored

BELL = "routing"


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a route and the release behind it."""

    name: Literal["stable", "candidate"]
    release: str
    number: int
    kind: Kind
    serves: str
    serves_digest: str
    serves_artifact: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """How an endpoint's subjects are shared out.

    Args:
        candidate_share: of subjects that the candidate serves, 0 to 1.
        salt: of the rollout; another rollout draws other subjects.
        shield: whether stable answers when the candidate failed before its first byte was sent.
        shadow: the share of requests, 0 to 1, that the candidate is asked too once stable's answer was sent; what it
            says is recorded and thrown away.
        guardrails: what is looked for in requests and answers; a release may make it stricter.
        keep_texts: whether questions and answers are kept, and how long.
    """

    endpoint: str
    stable: Arm | None
    candidate: Arm | None
    candidate_share: float
    rollout: str | None
    salt: str
    shield: bool
    shadow: float = 0.0
    guardrails: Policy = NOTHING
    keep_texts: KeepTexts | None = None


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Every endpoint's route; `default` is the endpoint that was made first."""

    version: int
    routes: Mapping[str, Route]
    default: str | None


def choose(route: Route, subject: str) -> Arm:
    """The arm that serves a subject: once the candidate, always the candidate for as long as the share does not fall.

    Raises: NothingReleased.
    """
    if route.candidate is not None and bucket(route.salt, subject) < route.candidate_share:
        return route.candidate
    if route.stable is None:
        raise NothingReleased(endpoint=route.endpoint)
    return route.stable


def bucket(salt: str, subject: str) -> float:
    """A number in [0, 1) that belongs to a subject; nested: who is below a share is below every larger one."""
    digest = hashlib.sha256(f"{salt}\0{subject}".encode()).digest()
    # 53 bits: the float is exact, and so never rounds up to 1.
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def routing_version(uow: UnitOfWork) -> int:
    """The number of the present table; 0 before the first change."""
    return uow.session.scalar(select(RoutingRow.version).where(RoutingRow.id == 1)) or 0


def routing_table(uow: UnitOfWork) -> RoutingTable:
    """The table as of this transaction."""
    version = routing_version(uow)
    endpoints = list(uow.session.scalars(select(EndpointRow).order_by(EndpointRow.number)))
    rollouts = {
        row.endpoint: row for row in uow.session.scalars(select(RolloutRow).where(RolloutRow.active.is_not(None)))
    }
    wanted = {row.stable for row in endpoints} | {row.release for row in rollouts.values()}
    found = uow.session.scalars(select(ReleaseRow).where(ReleaseRow.id.in_(name for name in wanted if name)))
    releases = {row.id: row for row in found}
    guardrails = policies.of_all(uow)
    routes = {
        row.name: _route(row, rollouts.get(row.name), releases, guardrails.get(row.name, NOTHING)) for row in endpoints
    }
    return RoutingTable(version, routes, endpoints[0].name if endpoints else None)


def bump(uow: UnitOfWork) -> int:
    """Give the table a new version, in the transaction that changes it, and tell this process's gateway.

    Call it before reading what is to be changed: it holds the table's row until the transaction ends, so that changes
    of routing wait for each other on PostgreSQL as they do on SQLite.
    """
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    statement = insert(RoutingRow).values(id=1, version=1)
    changed = statement.on_conflict_do_update(index_elements=["id"], set_={"version": RoutingRow.version + 1})
    version = uow.session.scalars(changed.returning(RoutingRow.version)).one()
    uow.ring(BELL)
    return version


def _route(
    endpoint: EndpointRow, rollout: RolloutRow | None, releases: Mapping[str, ReleaseRow], guardrails: Policy
) -> Route:
    return Route(
        endpoint=endpoint.name,
        stable=_arm("stable", releases[endpoint.stable]) if endpoint.stable else None,
        candidate=_arm("candidate", releases[rollout.release]) if rollout else None,
        candidate_share=rollout.share if rollout else 0.0,
        rollout=rollout.id if rollout else None,
        salt=rollout.salt if rollout else "",
        shield=bool(rollout.plan["shield"]) if rollout else False,
        shadow=_shadow(rollout) if rollout else 0.0,
        guardrails=guardrails,
        keep_texts=KeepTexts(**endpoint.keep_texts) if endpoint.keep_texts else None,
    )


def _shadow(rollout: RolloutRow) -> float:
    """The share of requests that are copied to the candidate while its rollout is at the step before the first."""
    plan = from_stored(rollout.plan)
    is_copied = rollout.step == SHADOW_STEP and rollout.has_begun and not is_spent(rollout)
    return plan.shadow.sample if plan.shadow is not None and is_copied else 0.0


def is_spent(rollout: RolloutRow) -> bool:
    """Whether the copies have used as many tokens as they may, as its driver has stored."""
    return bool(rollout.evidence.get("shadow", {}).get("is_spent"))


def _arm(name: Literal["stable", "candidate"], release: ReleaseRow) -> Arm:
    return Arm(
        name=name,
        release=release.id,
        number=release.number,
        kind=cast(Kind, release.kind),
        serves=release.serves,
        serves_digest=release.serves_digest,
        serves_artifact=release.serves_artifact,
        config=release.config,
    )
