"""Endpoints that serve a trained model: how the platform differs from what a project wants, and making it so.

A first version goes through the gate that a first version has to pass; a later one that is named is held against the
one that serves; a changed config is released with the version that serves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opsloop.client import pins
from opsloop.client.http import Client
from opsloop.client.project_models import ModelEndpointWanted
from opsloop.core.errors import NotFound
from opsloop.releases.renewals.models import Renewal, RenewalState

Tell = Callable[[str, int, int], None]
_ON_THEIR_WAY = (RenewalState.ROLLING_OUT, RenewalState.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True)
class Difference:
    """How an endpoint differs from what is wanted: `is_there` is false where it must be made, `says` tells why."""

    is_there: bool
    differs: bool
    says: str


def difference(client: Client, wanted: ModelEndpointWanted) -> Difference:
    try:
        state = client.endpoints.get(wanted.name)
    except NotFound:
        return Difference(False, True, f"serves model {wanted.model}")
    present = _going_on(client, wanted.name)
    stable = state.stable
    if stable is not None and wanted.is_met_by(stable):
        return Difference(True, False, f"serves release {stable.number} ({stable.serves})")
    if present is not None:
        return Difference(True, False, f"is being renewed: {present.said or present.state.replace('_', ' ')}")
    if stable is None:
        return Difference(True, True, f"gets its first release, model {wanted.model}")
    if (candidate := state.candidate) is not None and wanted.is_met_by(candidate):
        return Difference(True, False, f"release {candidate.number} ({candidate.serves}) is on its way")
    if pinned := pins.of(client.endpoints.releases(wanted.name), wanted.is_met_by):
        return Difference(True, False, pinned)
    if wanted.serves_wanted(stable):
        return Difference(True, True, f"its config differs from release {stable.number}")
    return Difference(True, True, f"model {wanted.model} differs from {stable.serves}")


@dataclass(frozen=True, slots=True)
class Made:
    """What became of it: whether something was refused, and the sentence that says what."""

    is_blocked: bool
    says: str


def make_so(client: Client, wanted: ModelEndpointWanted, *, tell: Tell) -> Made:
    """Release what is wanted, on an endpoint that is there."""
    stable = client.endpoints.get(wanted.name).stable
    if stable is not None and wanted.serves_wanted(stable):
        released = client.endpoints.release(
            wanted.name,
            model=stable.serves,
            config=wanted.config,
            evaluation=stable.evaluation,
            strategy=wanted.strategy,
        )
        status = released.rollout.status.replace("_", " ")
        return Made(False, f"Release {released.release.number} ({stable.serves}, another config) is {status}")
    return _renewed(client, wanted, tell)


def _renewed(client: Client, wanted: ModelEndpointWanted, tell: Tell) -> Made:
    """Bring a version to the endpoint through its gate."""
    policy = {"pipeline": wanted.pipeline, **({"strategy": wanted.strategy} if wanted.strategy else {})}
    started = _going_on(client, wanted.name) or client.renewals.start(
        wanted.name, reason="opsloop apply", model=wanted.model, config=wanted.config, policy=policy
    )
    found = started
    for history in client.renewals.watch(started.id):
        found = history.renewal
        tell(f"{wanted.name}: {found.state.replace('_', ' ')}", 0, 0)
        if found.state in _ON_THEIR_WAY:
            break
    is_blocked = found.state in (RenewalState.REJECTED, RenewalState.SKIPPED)
    said = f"{found.challenger or wanted.model} is {found.state.replace('_', ' ')}. {found.said}"
    return Made(is_blocked, said)


def _going_on(client: Client, endpoint: str) -> Renewal | None:
    found = client.renewals.listed(endpoint=endpoint)
    return found[0] if found and not found[0].state.is_over else None
