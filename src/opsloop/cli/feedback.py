"""`opsloop feedback`: what people say about answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb


@noun("feedback")
def feedback() -> None:
    """What people say about answers."""


@verb(
    feedback,
    "add",
    example="""opsloop feedback add req_01j… --thumb down --comment "wrong plan"
    opsloop feedback add req_01j… --csat 2 --tag leave --correction "28 days of leave" """,
)
@click.argument("request_id")
@click.option("--thumb", type=click.Choice(("up", "down")), help="Good or bad.")
@click.option("--score", type=click.FloatRange(0, 1), help="From 0 (bad) to 1 (good).")
@click.option("--csat", type=click.IntRange(1, 5), help="Satisfaction from 1 (not at all) to 5 (very).")
@click.option("--comment", help="What was good or bad about it.")
@click.option("--tag", "tags", multiple=True, help="What it is about; repeat it for more.")
@click.option("--correction", help="What the answer should have been.")
def add(
    session: Session,
    request_id: str,
    thumb: str | None,
    score: float | None,
    csat: int | None,
    comment: str | None,
    tags: Sequence[str],
    correction: str | None,
) -> None:
    """Say how good the answer to REQUEST_ID was: a thumb, a score, or satisfaction."""
    if [thumb, score, csat].count(None) != 2:
        raise click.UsageError("give one of --thumb, --score and --csat")
    with session.client() as client:
        given = client.feedback.add(
            request_id,
            thumb=cast(Any, thumb),  # click has checked that it is one of the two words
            score=score,
            csat=csat,
            comment=comment,
            tags=tags,
            correction=correction,
        )
    session.answer(given, f"noted for request {given.request_id}")


@verb(feedback, "list", example="opsloop feedback list --limit 20")
@click.option("--request", "request_id", metavar="ID", help="Only on this request.")
@click.option("--bad/--good", "is_bad", default=None, help="Only bad words, or only good ones.")
@click.option("--before", type=click.IntRange(1), metavar="N", help="Only before this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, request_id: str | None, is_bad: bool | None, before: int | None, limit: int) -> None:
    """List feedback, newest first."""
    satisfied = None if is_bad is None else not is_bad
    with session.client() as client:
        found = client.feedback.listed(request_id=request_id, satisfied=satisfied, before=before, limit=limit)
    rows = [
        (each.seq, each.created_at, each.request_id, each.thumb or each.csat, each.score, each.tags, each.comment)
        for each in found
    ]
    words = text.table(("no", "at", "request", "given", "score", "tags", "comment"), rows)
    session.answer({"items": found}, words or "no feedback yet; people give it with POST /feedback or in the console")


@verb(feedback, "summary", example="opsloop feedback summary --days 7")
@click.option("--days", type=click.IntRange(1, 371), default=7, show_default=True, help="Until now.")
def summary(session: Session, days: int) -> None:
    """Show how satisfied people were over the last days."""
    with session.client() as client:
        found = client.feedback.summary(window_s=days * 86_400)
    pairs = (
        ("requests judged", found.count),
        ("thumbs up", found.ups),
        ("thumbs down", found.downs),
        ("comments", found.comments),
        ("mean score", found.mean_score),
        ("satisfied", text.percent(found.satisfaction)),
    )
    session.answer(found, text.fields(pairs))
