"""`opsloop renewal`: from drift, a schedule or a wish to a better model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.releases.renewals.models import Renewal, RenewalEvent, RenewalHistory


@noun("renewal")
def renewal() -> None:
    """From drift, a schedule or a wish to a better model of an endpoint."""


@verb(renewal, "list", example="opsloop renewal list iris")
@click.argument("endpoint", required=False)
def listed(session: Session, endpoint: str | None) -> None:
    """List renewals, newest first: of ENDPOINT, or of all."""
    with session.client() as client:
        found = client.renewals.listed(endpoint=endpoint)
    rows = [
        (each.id, each.endpoint, each.cause, each.state.replace("_", " "), each.champion, each.challenger, each.said)
        for each in found
    ]
    words = text.table(("renewal", "endpoint", "cause", "state", "champion", "challenger", "says"), rows)
    nothing = "no renewals yet; an alarm, a schedule or `opsloop renewal start ENDPOINT` begins one"
    session.answer({"items": found}, words or nothing)


@verb(renewal, "show", example="opsloop renewal show iris")
@click.argument("which", metavar="RENEWAL|ENDPOINT")
def show(session: Session, which: str) -> None:
    """Show what happened in a renewal: by its id, or the newest one of an endpoint."""
    with session.client() as client:
        found = client.renewals.get(_id(client, which))
    session.answer(found, lambda: "\n".join([_state(found.renewal), "", *map(_event, found.events)]))


@verb(renewal, "start", example="opsloop renewal start iris --reason 'the spring data is in' --watch")
@click.argument("endpoint")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is put on record.")
@click.option("--model", metavar="NAME@V|NAME@ALIAS", help="A version to try in place of a new one.")
@click.option("--watch", is_flag=True, help="Wait for its end.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def start(
    session: Session, endpoint: str, reason: str, model: str | None, watch: bool, timeout_s: float | None
) -> None:
    """Train a challenger for ENDPOINT, hold it against the champion, and release it when it is as good.

    With --watch exit code 0 when it was promoted, 6 when it was rejected or skipped, 8 when the time ended first.
    """
    with session.client() as client:
        begun = client.renewals.start(endpoint, reason=reason, model=model)
        if not watch:
            session.answer(begun, lambda: f"{_state(begun)}; follow it with `opsloop renewal show {endpoint}`")
            return
        found = _watched(session, client, begun.id, timeout_s)
    session.answer(found, lambda: _state(found.renewal))
    _end(found.renewal)


@verb(renewal, "watch", example="opsloop renewal watch iris --timeout 3600")
@click.argument("which", metavar="RENEWAL|ENDPOINT")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def watch(session: Session, which: str, timeout_s: float | None) -> None:
    """Follow a renewal until it is over.

    Exit code 0 when it was promoted, 6 when it was rejected or skipped, 8 when the time ended first.
    """
    with session.client() as client:
        found = _watched(session, client, _id(client, which), timeout_s)
    session.answer(found, lambda: _state(found.renewal))
    _end(found.renewal)


@verb(renewal, "approve", example="opsloop renewal approve iris")
@click.argument("which", metavar="RENEWAL|ENDPOINT")
def approve(session: Session, which: str) -> None:
    """Let the challenger of a renewal that passed its gate go to traffic."""
    with session.client() as client:
        found = client.renewals.approve(_id(client, which))
    session.answer(found, lambda: _state(found))


@verb(renewal, "reject", example="opsloop renewal reject iris --reason 'not before the audit'")
@click.argument("which", metavar="RENEWAL|ENDPOINT")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is put on record.")
def reject(session: Session, which: str, reason: str) -> None:
    """End a renewal that waits for a yes."""
    with session.client() as client:
        found = client.renewals.reject(_id(client, which), reason=reason)
    session.answer(found, lambda: _state(found))


def _id(client: Client, which: str) -> str:
    """The renewal of this id, or the newest one of the endpoint that is called so."""
    from opsloop.core.errors import NotFound

    if which.startswith("renewal_"):
        return which
    found = client.renewals.listed(endpoint=which)
    if not found:
        raise NotFound(f"{which} has no renewal; `opsloop renewal start {which}` begins one")
    return found[0].id


def _watched(session: Session, client: Client, which: str, timeout_s: float | None) -> RenewalHistory:
    told = 0
    found = None
    for found in client.renewals.watch(which, timeout_s=timeout_s):
        for event in found.events[told:]:
            session.note(_event(event))
        told = len(found.events)
    assert found is not None  # watch tells at least once
    return found


def _end(found: Renewal) -> None:
    from opsloop.core.errors import AnswerIsNo, StillPending
    from opsloop.releases.renewals.models import RenewalState

    if not found.state.is_over:
        raise StillPending(f"the renewal of {found.endpoint} goes on; `opsloop renewal watch {found.id}` follows it")
    if found.state is not RenewalState.PROMOTED:
        raise AnswerIsNo(f"the renewal of {found.endpoint} was {found.state}: {found.said}")


def _state(found: Renewal) -> str:
    models = f" ({found.challenger} for {found.champion or 'nothing'})" if found.challenger else ""
    at = f"the renewal of {found.endpoint}{models} is {found.state.replace('_', ' ')}"
    return f"{at}: {found.said}" if found.said else at


def _event(event: RenewalEvent) -> str:
    link = f"  [{event.noun} {event.target}]" if event.target else ""
    return f"{text.moment(event.at)}  {event.kind.replace('_', ' '):<18}  {event.sentence}{link}"
