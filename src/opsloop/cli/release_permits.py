"""Who lets a rollout go on, and when: `opsloop release approve`, `reject`, `freeze`, `thaw`, `override`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.rollouts import act_on, newest, state_of
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.releases.models import Approval, Freeze


@lone("approvals", example="opsloop release approvals")
def approvals(session: Session) -> None:
    """List what rollouts wait for a person to say."""
    with session.client() as client:
        found = client.rollouts.approvals()
    rows = [(each.endpoint, each.action, each.asked_at, each.expires_at, each.digest[:16]) for each in found]
    words = text.table(("endpoint", "asks to", "asked", "expires", "digest"), rows)
    session.answer({"items": found}, words or "nothing waits for an approval")


@lone(
    "approve",
    example="""opsloop release approve support-chat
    opsloop release approve support-chat --digest 3f5a… --reason 'reviewed the answers'""",
)
@click.argument("endpoint")
@click.option(
    "--digest", metavar="SHA256", help="Of what was shown, when that was not just now; its beginning will do."
)
@click.option("--reason", metavar="TEXT", default="", help="Put on record.")
def approve(session: Session, endpoint: str, digest: str | None, reason: str) -> None:
    """Say yes to what the rollout of ENDPOINT asks for; tells what it was.

    Exit code 5 when nothing is asked, or something else than the digest says.
    """
    with session.client() as client:
        rollout, asked = _asked(client, endpoint)
        session.note(_shown(asked))
        found = client.rollouts.approve(rollout, digest=_digest(asked, digest), reason=reason)
    session.answer(found, lambda: f"approved: {asked.action}")


@lone("reject", example="opsloop release reject support-chat --reason 'answers are too long'")
@click.argument("endpoint")
@click.option(
    "--digest", metavar="SHA256", help="Of what was shown, when that was not just now; its beginning will do."
)
@click.option("--reason", metavar="TEXT", required=True, help="Why; it is put on record.")
def reject(session: Session, endpoint: str, digest: str | None, reason: str) -> None:
    """Say no to what the rollout of ENDPOINT asks for; its candidate is taken back."""
    with session.client() as client:
        rollout, asked = _asked(client, endpoint)
        found = client.rollouts.reject(rollout, digest=_digest(asked, digest), reason=reason)
    session.answer(found, lambda: f"{endpoint}: {state_of(found)}")


@lone(
    "freeze",
    example="""opsloop release freeze --reason 'holiday sales' --until 2027-01-02T08:00Z
    opsloop release freeze support-chat --reason 'audit week'""",
)
@click.argument("endpoint", required=False)
@click.option("--reason", metavar="TEXT", required=True, help="Why; it is told wherever a rollout waits.")
@click.option("--until", metavar="INSTANT", help="Ends by itself then, e.g. 2027-01-02T08:00Z; unset: with a thaw.")
def freeze(session: Session, endpoint: str | None, reason: str, until: str | None) -> None:
    """Let no rollout of ENDPOINT, or of any endpoint, give a candidate traffic. Rollbacks go on."""
    with session.client() as client:
        found = client.freezes.begin(endpoint, reason=reason, until=_instant(until))
    session.answer(found, lambda: _frozen(found))


@lone("thaw", example="opsloop release thaw support-chat")
@click.argument("endpoint", required=False)
def thaw(session: Session, endpoint: str | None) -> None:
    """End the freeze of ENDPOINT, or without it the one of all endpoints."""
    with session.client() as client:
        found = client.freezes.thaw(endpoint)
    session.answer(found, lambda: f"{_what(found)} can be released to again")


@lone("freezes", example="opsloop release freezes")
def freezes(session: Session) -> None:
    """List the freezes that hold now."""
    with session.client() as client:
        found = client.freezes.listed(active=True)
    rows = [(each.endpoint or "all", each.reason, each.began_by, each.began_at, each.until) for each in found]
    words = text.table(("endpoint", "reason", "by", "since", "until"), rows)
    session.answer({"items": found}, words or "nothing is frozen")


@lone("override", example="opsloop release override support-chat --reason 'fix of an outage'")
@click.argument("endpoint")
@click.option("--reason", metavar="TEXT", required=True, help="Why; it is put on record.")
def override(session: Session, endpoint: str, reason: str) -> None:
    """Let the running rollout of ENDPOINT go on in freezes and outside its windows; for admins."""
    act_on(session, endpoint, lambda client, rollout: client.rollouts.override(rollout, reason=reason))


@lone("recall", example="opsloop release recall release_01j… --reason 'leaks addresses'")
@click.argument("release")
@click.option("--reason", metavar="TEXT", required=True, help="Why; it is put on record.")
def recall(session: Session, release: str, reason: str) -> None:
    """Take what RELEASE serves out of every endpoint, and let none serve it again.

    Each goes back to the newest release before that may serve; one without any serves nothing.
    """
    with session.client() as client:
        found = client.endpoints.recall(release, reason=reason)
    effects = [f"{each.endpoint}: {each.sentence}" for each in found.effects] or ["no endpoint served it"]
    session.answer(found, lambda: "\n".join([f"{found.serves} is recalled: {found.reason}", *effects]))


def _asked(client: Client, endpoint: str) -> tuple[str, Approval]:
    """The newest rollout of an endpoint and what it asks for. Raises: NotFound, Conflict."""
    from opsloop.core.errors import Conflict

    rollout = newest(client, endpoint)
    found = client.rollouts.get(rollout)
    if found.waits_for is None:
        raise Conflict(f"the rollout of {endpoint} waits for no approval; it is {state_of(found.rollout)}")
    return rollout, found.waits_for


def _digest(asked: Approval, given: str | None) -> str:
    """The whole digest where the given one is its beginning."""
    return asked.digest if given is None or (len(given) >= 8 and asked.digest.startswith(given)) else given


def _shown(asked: Approval) -> str:
    return f"{asked.action}\n{asked.sentence}\ndigest {asked.digest}"


def _instant(given: str | None) -> datetime | None:
    """Raises: BadParameter."""
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise click.BadParameter(
            f"{given!r} is no instant with a time zone, e.g. 2027-01-02T08:00Z", param_hint="--until"
        )
    return found


def _what(found: Freeze) -> str:
    return f"endpoint {found.endpoint}" if found.endpoint else "every endpoint"


def _frozen(found: Freeze) -> str:
    until = f" until {text.moment(found.until)}" if found.until else ", until it is thawed"
    return f"{_what(found)} is frozen{until}: {found.reason}"


COMMANDS = (approvals, approve, reject, freeze, thaw, freezes, override, recall)
