"""`opsloop feedback`: what people say about answers."""

from __future__ import annotations

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
    opsloop feedback add req_01j… --score 0.75""",
)
@click.argument("request_id")
@click.option("--thumb", type=click.Choice(("up", "down")), help="Good or bad.")
@click.option("--score", type=click.FloatRange(0, 1), help="From 0 (bad) to 1 (good).")
@click.option("--comment", help="What was good or bad about it.")
def add(session: Session, request_id: str, thumb: str | None, score: float | None, comment: str | None) -> None:
    """Say how good the answer to REQUEST_ID was: a thumb, or a score."""
    if (thumb is None) == (score is None):
        raise click.UsageError("give one of --thumb and --score")
    with session.client() as client:
        # click has checked that it is one of the two words
        given = client.feedback.add(request_id, thumb=cast(Any, thumb), score=score, comment=comment)
    session.answer(given, f"noted for request {given.request_id}")


@verb(feedback, "list", example="opsloop feedback list --limit 20")
@click.option("--request", "request_id", metavar="ID", help="Only on this request.")
@click.option("--before", type=click.IntRange(1), metavar="N", help="Only before this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, request_id: str | None, before: int | None, limit: int) -> None:
    """List feedback, newest first."""
    with session.client() as client:
        found = client.feedback.listed(request_id=request_id, before=before, limit=limit)
    rows = [(each.seq, each.created_at, each.request_id, each.thumb, each.score, each.comment) for each in found]
    words = text.table(("no", "at", "request", "thumb", "score", "comment"), rows)
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
