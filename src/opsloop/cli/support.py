"""`opsloop support`: conversations that a person is to answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.guardrails.support.models import Case

STATES = ("open", "claimed", "answered", "closed")


@noun("support")
def support() -> None:
    """Conversations that a person is to answer."""


@verb(support, "list", example="opsloop support list --state open")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--endpoint", metavar="NAME", help="Only of this endpoint.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, state: str | None, endpoint: str | None, limit: int) -> None:
    """List cases, newest first."""
    with session.client() as client:
        found = client.support.listed(state=state, endpoint=endpoint, limit=limit)
    rows = [(each.opened_at, each.id, each.endpoint, each.state, each.claimed_by, each.why) for each in found]
    words = text.table(("opened", "case", "endpoint", "state", "claimed by", "why"), rows)
    session.answer({"items": found}, words or "nothing is waiting for a person")


@verb(support, "show", example="opsloop support show case_01j…")
@click.argument("case")
def show(session: Session, case: str) -> None:
    """Show the conversation of CASE."""
    with session.client() as client:
        found = client.support.get(case)
    session.answer(found, _told(found))


@verb(support, "claim", example="opsloop support claim case_01j…")
@click.argument("case")
@click.option("--take-over", is_flag=True, help="Also from somebody who has it.")
def claim(session: Session, case: str, take_over: bool) -> None:
    """Take CASE, so that nobody else answers it. Exit code 5 when somebody has it."""
    with session.client() as client:
        found = client.support.claim(case, take_over=take_over)
    session.answer(found, f"{found.id} is yours; answer it with `opsloop support answer {found.id} TEXT`")


@verb(support, "answer", example='opsloop support answer case_01j… "Your refund is on its way."')
@click.argument("case")
@click.argument("answer")
def answer(session: Session, case: str, answer: str) -> None:
    """Answer CASE, which you have claimed; `-` reads the ANSWER from stdin."""
    if answer == "-":
        answer = sys.stdin.read()
    with session.client() as client:
        found = client.support.answer(case, answer)
    session.answer(found, f"{found.id} is answered; the caller gets it under its ticket")


@verb(support, "close", example="opsloop support close case_01j…")
@click.argument("case")
def close(session: Session, case: str) -> None:
    """End CASE, answered or not."""
    with session.client() as client:
        found = client.support.close(case)
    session.answer(found, f"{found.id} is closed")


def _told(case: Case) -> str:
    pairs = (
        ("case", case.id),
        ("state", case.state),
        ("endpoint", case.endpoint),
        ("request", case.request_id),
        ("why", case.why),
        ("opened", case.opened_at),
        ("claimed by", case.claimed_by),
        ("answered by", case.answered_by),
    )
    said = [f"{each.role}: {text.plain(each.text)}" for each in case.conversation]
    if case.answer is not None:
        said.append(f"{text.cell(case.answered_by)}: {text.plain(case.answer)}")
    return "\n\n".join([text.fields(pairs), *said])
