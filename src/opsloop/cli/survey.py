"""`opsloop survey`: what people are asked about answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.feedback.surveys.models import Rate, SurveyFigures


@noun("survey")
def survey() -> None:
    """What people are asked about answers; declared under `surveys` in opsloop.yaml."""


@verb(survey, "list", example="opsloop survey list")
def listed(session: Session) -> None:
    """List surveys."""
    with session.client() as client:
        found = client.surveys.listed()
    rows = [
        (each.name, each.declared["title"], [asked["id"] for asked in each.declared["questions"]], each.changed_at)
        for each in found
    ]
    words = text.table(("survey", "title", "questions", "changed"), rows)
    session.answer({"items": found}, words or "no survey yet; declare one under `surveys` in opsloop.yaml")


@verb(survey, "show", example="opsloop survey show after-chat --days 30")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Invitations sent since.")
def show(session: Session, name: str, days: int) -> None:
    """Show response rate, CSAT and NPS of survey NAME, with 95 % intervals."""
    with session.client() as client:
        found = client.surveys.figures(name, window_s=days * 86_400)
    session.answer(found, lambda: _figures(found))


@verb(survey, "invite", example="opsloop survey invite after-chat --request req_01j…")
@click.argument("name")
@click.option("--request", "request_id", metavar="ID", help="The answer that is asked about.")
def invite(session: Session, name: str, request_id: str | None) -> None:
    """Make a link with which one person can answer survey NAME, once."""
    with session.client() as client:
        made = client.surveys.invite(name, request_id=request_id)
        address = client.surveys.address(made)
    session.answer(made, f"{address}\ngood for one response until {text.moment(made.expires_at)}")


@verb(survey, "responses", example="opsloop survey responses after-chat --limit 20")
@click.argument("name")
@click.option("--before", type=click.IntRange(1), metavar="N", help="Only before this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def responses(session: Session, name: str, before: int | None, limit: int) -> None:
    """List what was answered to survey NAME."""
    with session.client() as client:
        found = client.surveys.responses(name, before=before, limit=limit)
    rows = [
        (
            each.seq,
            each.answered_at,
            each.request_id,
            ", ".join(f"{key}: {value}" for key, value in each.answers.items()),
        )
        for each in found
    ]
    words = text.table(("no", "answered", "request", "answers"), rows)
    session.answer({"items": found}, words or "nobody answered yet; `opsloop survey invite NAME` makes a link")


def _figures(found: SurveyFigures) -> str:
    nps = "-"
    if found.nps is not None:
        nps = f"{found.nps:+.0f} ({found.nps_low:+.0f} to {found.nps_high:+.0f}) of {found.nps_count}"
    pairs = [
        ("answered", _rate(found.response, "sent")),
        ("satisfied (CSAT 4, 5)", _rate(found.csat, "answers")),
        ("NPS", nps),
    ]
    pairs += [
        (question, ", ".join(f"{option}: {count}" for option, count in counts.items()))
        for question, counts in found.choices.items()
    ]
    return text.fields(pairs)


def _rate(rate: Rate, of: str) -> str:
    if rate.share is None:
        return f"0 of 0 {of}"
    span = f"{text.percent(rate.low)} to {text.percent(rate.high)}"
    return f"{rate.count} of {rate.of} {of}: {text.percent(rate.share)} ({span})"
