"""`opsloop feedback`: what people say about answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from opsloop.cli import feedback_week, text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.improvement.promotions.models import Draft


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


@verb(
    feedback,
    "summary",
    example="""opsloop feedback summary --days 7
    opsloop feedback summary --week 2026-W47""",
)
@click.option("--days", type=click.IntRange(1, 371), default=7, show_default=True, help="Until now.")
@click.option("--week", metavar="YEAR-Www", help="The report of a week; `last`: the newest that is over.")
def summary(session: Session, days: int, week: str | None) -> None:
    """Show how satisfied people were over the last days, or in a week with themes and the worst answers."""
    with session.client() as client:
        if week is not None:
            report = client.feedback.week(week)
            session.answer(report, lambda: feedback_week.words(report))
            return
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


@verb(feedback, "answers", example="opsloop feedback answers --endpoint support-chat --bad")
@click.option("--endpoint", metavar="NAME", help="Only of this endpoint.")
@click.option("--bad/--good", "is_bad", default=None, help="Only those that people did not like, or liked.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many, newest first.")
def answers(session: Session, endpoint: str | None, is_bad: bool | None, limit: int) -> None:
    """List rated answers with what was asked and answered, where the endpoint keeps texts."""
    with session.client() as client:
        satisfied = None if is_bad is None else not is_bad
        found = client.feedback.answers(endpoint=endpoint, satisfied=satisfied, limit=limit)
    rows = [
        (each.request_id, each.endpoint, each.given[0].score, _short(each.question), _short(each.answer))
        for each in found
    ]
    words = text.table(("request", "endpoint", "score", "asked", "answered"), rows)
    session.answer({"items": found}, words or "no such answer yet; people rate them with POST /feedback")


@verb(
    feedback,
    "promote",
    example="""opsloop feedback promote req_01j… --dataset golden --answer "You have 28 days."
    opsloop feedback promote req_01j… --dataset golden --dry-run""",
)
@click.argument("request_id")
@click.option("--dataset", required=True, metavar="NAME", help="The golden dataset; it is made when there is none.")
@click.option("--answer", help="What should have been answered; default: the correction given with feedback.")
@click.option("--question", help="Instead of the one that was asked; needed where no texts are kept.")
@click.option("--question-column", metavar="NAME", help="Of the dataset; the usual names are known.")
@click.option("--answer-column", metavar="NAME", help="Of the dataset; the usual names are known.")
@click.option("--reason", help="Take a row that stands in training data or prompts all the same; put on record.")
@click.option("--dry-run", is_flag=True, help="Show the row and what speaks against it; change nothing.")
def promote(
    session: Session,
    request_id: str,
    dataset: str,
    answer: str | None,
    question: str | None,
    question_column: str | None,
    answer_column: str | None,
    reason: str | None,
    dry_run: bool,
) -> None:
    """Make the corrected answer to REQUEST_ID a row of a golden dataset, as a new version of it.

    Personal data is taken out, a question that is there already is refused, and so is a row that stands in what a model
    learned from or in the flow's prompts.
    """
    more = {
        "answer": answer,
        "question": question,
        "question_column": question_column,
        "answer_column": answer_column,
        "reason": reason,
    }
    with session.client() as client:
        if dry_run:
            found = client.feedback.draft(request_id, dataset, **more)
            session.answer(found, lambda: _draft(found))
            return
        made = client.feedback.promote(request_id, dataset, **more)
    before = f", after {made.before}" if made.before else ", the first"
    session.answer(made, f"{made.version} has the row{before}; `opsloop feedback take-back {dataset}` undoes it")


@verb(feedback, "take-back", example="opsloop feedback take-back golden")
@click.argument("dataset")
def take_back(session: Session, dataset: str) -> None:
    """Let DATASET's name stand for the version before its last promotion; both versions stay."""
    with session.client() as client:
        restored = client.feedback.take_back(dataset)
    session.answer(restored, f"{dataset} is {restored.ref} again")


@verb(
    feedback,
    "export",
    example="""opsloop feedback export support-chat --as openai-chat --out tune.jsonl
    opsloop feedback export support-chat --as preference --out pairs.jsonl --days 30""",
)
@click.argument("endpoint")
@click.option(
    "--as",
    "format",
    type=click.Choice(("openai-chat", "preference", "dataset")),
    default="dataset",
    show_default=True,
    help="Supervised fine-tuning, preference optimisation, or rows to register.",
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path), help="The JSONL file."
)
@click.option(
    "--days", type=click.FloatRange(0, 3650, min_open=True), default=90, show_default=True, help="Rated since."
)
def export(session: Session, endpoint: str, format: str, out: Path, days: float) -> None:
    """Write rated answers of ENDPOINT as JSON lines to fine-tune a model with.

    Only answers whose texts are kept count, without personal data and without questions of golden datasets; every row
    is checked against the rules of its format.
    """
    from opsloop.cli.json_lines import write  # brings the encoder

    with session.client() as client:
        found = client.feedback.export(endpoint, format, days=days)
    write(out, found.rows)
    lines = [f"{len(found.rows)} rows of {found.answers} rated answers are in {out}"]
    lines += [f"left out {count}: {reason}" for reason, count in found.left_out.items()]
    if format != "dataset" and 0 < len(found.rows) < 10:
        lines.append("OpenAI starts no job with fewer than 10 examples")
    answer = {
        "file": str(out),
        "format": found.format,
        "rows": len(found.rows),
        "answers": found.answers,
        "left_out": found.left_out,
    }
    session.answer(answer, "\n".join(lines))


def _short(words: str | None) -> str | None:
    return words if words is None or len(words) <= 60 else f"{words[:59]}…"


def _draft(found: Draft) -> str:
    pairs = [
        ("dataset", found.base or f"{found.dataset}, new"),
        ("question", found.question.after),
        ("answer", found.answer.after),
        ("redacted", "yes" if found.question.is_changed or found.answer.is_changed else "nothing found"),
        ("duplicate", f"row {found.duplicate} asks the same" if found.duplicate else "none"),
        ("contamination", "; ".join(str(each) for each in found.found) or f"none in {len(found.looked_in)} places"),
        ("promoted before", ", ".join(found.promoted) or "no"),
    ]
    return text.fields(pairs)
