"""The newest rollout of an endpoint, and what the commands on releases tell of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from opsloop.cli import text
from opsloop.cli.session import Session

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.releases.models import Rollout


def act_on(session: Session, endpoint: str, act: Callable[[Client, str], Rollout]) -> None:
    """Do something with the newest rollout of an endpoint, and tell where it is then."""
    with session.client() as client:
        rollout = act(client, newest(client, endpoint))
    session.answer(rollout, lambda: f"{endpoint}: {state_of(rollout)}")


def newest(client: Client, endpoint: str) -> str:
    """The newest rollout of an endpoint. Raises: NotFound."""
    from opsloop.core.errors import NotFound

    rollout = client.endpoints.get(endpoint).rollout
    if rollout is None:
        raise NotFound(f"{endpoint} has no rollout; start one with `opsloop release create {endpoint} --flow NAME@V`")
    return rollout.id


def state_of(rollout: Rollout) -> str:
    at = f"release {rollout.number} is {rollout.status.replace('_', ' ')} at {text.percent(rollout.share)}"
    return f"{at}: {rollout.reason}" if rollout.reason else at
