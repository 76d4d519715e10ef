"""`opsloop guard`: what is looked for in requests and answers, and what happens then."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from opsloop.cli import guard_scan, text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.guardrails.models import Guardrails


@noun("guard")
def guard() -> None:
    """What is looked for in requests and answers, and what happens then."""


for _command in guard_scan.COMMANDS:
    guard.add_command(_command)


@verb(guard, "show", example="opsloop guard show support-chat")
@click.argument("endpoint")
def show(session: Session, endpoint: str) -> None:
    """Show the guardrails of ENDPOINT."""
    with session.client() as client:
        found = client.guardrails.get(endpoint)
    session.answer(found, _told(found))


@verb(
    guard,
    "set",
    example="""opsloop guard set support-chat --request payment_card=block --answer email=flag
    opsloop guard set support-chat --allow '*@acme.example' --answer pii=redact
    opsloop guard set support-chat --file guardrails.json""",
)
@click.argument("endpoint")
@click.option("--request", "requests", multiple=True, metavar="KIND=ACTION", help="For requests; may be repeated.")
@click.option("--answer", "answers", multiple=True, metavar="KIND=ACTION", help="For answers; may be repeated.")
@click.option("--allow", multiple=True, metavar="VALUE", help="A value that may pass, `*` for any characters.")
@click.option("--stored", type=click.Choice(("redact", "keep")), help="What is done to what is kept.")
@click.option("--hand-over", metavar="TEXT", help="What a caller is told when a person is to answer.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The whole policy, as JSON; replaces what there is.",
)
def change(
    session: Session,
    endpoint: str,
    requests: Sequence[str],
    answers: Sequence[str],
    allow: Sequence[str],
    stored: str | None,
    hand_over: str | None,
    file: Path | None,
) -> None:
    """Change the guardrails of ENDPOINT: what is named here, and nothing else.

    ACTION is allow, flag, redact, block or escalate. KIND is a kind such as email, or a group: pii, secrets.
    """
    with session.client() as client:
        if file is not None:
            session.answer(found := client.guardrails.put(endpoint, _read(file)), _told(found))
            return
        present = client.guardrails.get(endpoint)
        policy: dict[str, Any] = dict(present.policy)
        policy["requests"] = {**policy["requests"], **_pairs(requests, "--request")}
        policy["answers"] = {**policy["answers"], **_pairs(answers, "--answer")}
        policy["allow"] = [*policy["allow"], *(each for each in allow if each not in policy["allow"])]
        policy |= {key: value for key, value in (("stored", stored), ("hand_over", hand_over)) if value is not None}
        found = client.guardrails.put(endpoint, policy, version=present.version)
    session.answer(found, _told(found))


@verb(guard, "check", example='opsloop guard check support-chat "My card is 4111 1111 1111 1111" --request')
@click.argument("endpoint")
@click.argument("said", metavar="TEXT")
@click.option("--request", "is_request", is_flag=True, help="As a request; an answer unless this is given.")
def check(session: Session, endpoint: str, said: str, is_request: bool) -> None:
    """Show what ENDPOINT's guardrails would do with TEXT; `-` reads it from stdin. Nothing is recorded."""
    if said == "-":
        said = sys.stdin.read()
    with session.client() as client:
        found = client.guardrails.check(endpoint, said, direction="request" if is_request else "answer")
    rows = [(each.kind, each.action, each.count) for each in found.hits]
    words = text.table(("kind", "action", "places"), rows) or "nothing was found"
    goes_on = text.plain(found.text) if found.text is not None else f"nothing goes on: {found.outcome}"
    session.answer(found, f"{words}\n\n{goes_on}")


@verb(guard, "hits", example="opsloop guard hits support-chat --days 7")
@click.argument("endpoint")
@click.option("--days", type=click.IntRange(1, 90), default=1, show_default=True, help="Until now.")
def hits(session: Session, endpoint: str, days: int) -> None:
    """Show what the guardrails of ENDPOINT found: kinds and counts, never values."""
    with session.client() as client:
        found = client.guardrails.hits(endpoint, window_s=days * 86_400)
    rows = [(each.arm, each.direction, each.kind, each.action, each.requests, each.places) for each in found.counts]
    table = text.table(("arm", "in", "kind", "action", "requests", "places"), rows)
    some = f"{found.guarded} of {found.requests} requests were held back or changed"
    session.answer(found, f"{table}\n{some}" if table else f"nothing was found in {found.requests} requests")


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for kind, _, action in pairs:
        if not kind or not action:
            raise click.UsageError(f"{option} {kind}: wanted KIND=ACTION, such as email=redact")
    return {kind: action for kind, _, action in pairs}


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise click.UsageError(f"--file {file}: no JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.UsageError(f"--file {file}: wanted a JSON object")
    return cast(dict[str, Any], found)


def _told(found: Guardrails) -> str:
    policy = found.policy
    rows = [
        (direction, word, action)
        for direction, key in (("request", "requests"), ("answer", "answers"))
        for word, action in policy[key].items()
    ]
    table = text.table(("in", "kind", "action"), rows) or "nothing is looked for"
    pairs = (
        ("version", found.version),
        ("allowed", policy["allow"]),
        ("stored", policy["stored"]),
        ("hand-over", policy["hand_over"]),
        ("changed by", found.changed_by),
    )
    return f"{table}\n\n{text.fields(pairs)}"
