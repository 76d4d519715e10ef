"""`opsloop remediation`: what is proposed, who said yes, what came of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb
from opsloop.core.errors import Kind
from opsloop.core.exit_codes import CODES

if TYPE_CHECKING:
    from opsloop.remediation.models import Remediation, Standing

STATES = (
    *("proposed", "approved", "acting", "checking", "undoing", "helped", "not helped", "undone", "rehearsed"),
    *("failed", "unknown", "rejected", "expired", "void"),
)
SHOWN_DIGEST = 16


@noun("remediation")
def remediation() -> None:
    """Repairs: what is proposed, who said yes, what came of it."""


@verb(remediation, "list", example="opsloop remediation list --waiting")
@click.option("--waiting", is_flag=True, help="Only those that a yes would make act.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--incident", metavar="INCIDENT", help="Only for this incident.")
@click.option("--endpoint", metavar="NAME", help="Only about this endpoint.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(
    session: Session, waiting: bool, state: str | None, incident: str | None, endpoint: str | None, limit: int
) -> None:
    """List remediations, newest first."""
    with session.client() as client:
        found = client.remediations.listed(
            waiting=waiting, state=state, incident=incident, endpoint=endpoint, limit=limit
        )
    now = datetime.now(UTC)
    rows = [
        (each.asked_at, each.id, each.level.value, each.stands(now), each.target, each.title[:60]) for each in found
    ]
    words = text.table(("asked", "remediation", "level", "state", "target", "title"), rows)
    is_narrowed = waiting or state or incident or endpoint
    none = (
        "no repair matches" if is_narrowed else "nothing is proposed; an incident that names a suspect makes proposals"
    )
    session.answer({"items": found}, words or none)


@verb(remediation, "show", example="opsloop remediation show remediation_01j…")
@click.argument("remediation_id", metavar="REMEDIATION")
@click.option("--script", is_flag=True, help="Only its script, to be read and run.")
def show(session: Session, remediation_id: str, script: bool) -> None:
    """Show REMEDIATION: why, what it would do, how far it may go, what came of it."""
    with session.client() as client:
        found = client.remediations.get(remediation_id)
    session.answer(found, text.plain(found.script) if script else _told(found))


@verb(remediation, "propose", example="opsloop remediation propose incident_01j…")
@click.argument("incident_id", metavar="INCIDENT")
def propose(session: Session, incident_id: str) -> None:
    """Look again for what could be done about INCIDENT."""
    with session.client() as client:
        found = client.remediations.propose(incident_id)
    rows = [(each.id, each.level.value, each.title) for each in found]
    words = text.table(("remediation", "level", "title"), rows)
    session.answer({"items": found}, words or "nothing new; `opsloop remediation list` has what is proposed")


@verb(
    remediation,
    "approve",
    example="opsloop remediation approve remediation_01j… --digest 3f6c0d5e8a91b7c2 --watch",
)
@click.argument("remediation_id", metavar="REMEDIATION")
@click.option("--digest", metavar="HEX", help="Of what was shown; without it, what is shown now.")
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--watch", is_flag=True, help="Wait for its end. Exit code 6 unless it helped.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0), metavar="SECONDS", help="Longest time to watch.")
def approve(
    session: Session, remediation_id: str, digest: str | None, reason: str, watch: bool, timeout_s: float | None
) -> None:
    """Say yes to REMEDIATION. Exit code 5 when it changed, lapsed or needs somebody else's yes."""
    with session.client() as client:
        shown = digest or client.remediations.get(remediation_id).digest
        found = client.remediations.approve(remediation_id, digest=shown, reason=reason)
        if watch:
            found = client.remediations.wait(remediation_id, timeout_s=timeout_s)
    session.answer(found, _state(found))
    if watch and found.state != "helped":
        raise click.exceptions.Exit(CODES[Kind.NO])


@verb(remediation, "reject", example='opsloop remediation reject remediation_01j… --reason "a test of ours"')
@click.argument("remediation_id", metavar="REMEDIATION")
@click.option("--reason", required=True, help="Why, for the record.")
def reject(session: Session, remediation_id: str, reason: str) -> None:
    """Say no to REMEDIATION; it never acts."""
    with session.client() as client:
        found = client.remediations.reject(remediation_id, reason=reason)
    session.answer(found, _state(found))


@verb(remediation, "undo", example='opsloop remediation undo remediation_01j… --reason "it hit other users"')
@click.argument("remediation_id", metavar="REMEDIATION")
@click.option("--reason", required=True, help="Why, for the record.")
def undo(session: Session, remediation_id: str, reason: str) -> None:
    """Take back what REMEDIATION did. Exit code 5 when it cannot be undone."""
    with session.client() as client:
        client.remediations.undo(remediation_id, reason=reason)
        found = client.remediations.wait(remediation_id)
    session.answer(found, _state(found))


@verb(remediation, "renew", example="opsloop remediation renew remediation_01j…")
@click.argument("remediation_id", metavar="REMEDIATION")
def renew(session: Session, remediation_id: str) -> None:
    """Ask for REMEDIATION again, with what is true now."""
    with session.client() as client:
        found = client.remediations.renew(remediation_id)
    session.answer(found, _told(found))


@verb(remediation, "playbooks", example="opsloop remediation playbooks")
def playbooks(session: Session) -> None:
    """List playbooks: how far each may go here, what it achieved, what it lacks for more."""
    with session.client() as client:
        found = client.remediations.playbooks()
    session.answer({"items": found}, "\n\n".join(map(_standing, found)))


@verb(
    remediation,
    "rehearse",
    example="opsloop remediation rehearse roll-back-release --set endpoint=support-chat --set release=2",
)
@click.argument("playbook", metavar="PLAYBOOK")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter of its action.")
def rehearse(session: Session, playbook: str, pairs: tuple[str, ...]) -> None:
    """Do what PLAYBOOK does and take it back at once: level 5 needs an undo that was seen to work.

    What it works on is really changed for a moment. Exit code 6 when its undo did not work.
    """
    with session.client() as client:
        started = client.remediations.rehearse(playbook, dict(map(_pair, pairs)))
        found = client.remediations.wait(started.id)
    session.answer(found, _state(found))
    if found.state != "rehearsed":
        raise click.exceptions.Exit(CODES[Kind.NO])


@verb(remediation, "halt", example='opsloop remediation halt --reason "a migration goes on"')
@click.option("--reason", required=True, help="Why, for the record.")
def halt(session: Session, reason: str) -> None:
    """Let nothing act any more, also what was approved."""
    with session.client() as client:
        found = client.remediations.halt(reason)
    session.answer(found, f"repairs are halted by {text.cell(found.began_by)}: {text.cell(found.reason)}")


@verb(remediation, "resume", example="opsloop remediation resume")
def resume(session: Session) -> None:
    """Let repairs act again. Exit code 5 when they are not halted."""
    with session.client() as client:
        found = client.remediations.resume()
    session.answer(found, "repairs may act again")


@verb(remediation, "ask", example='opsloop remediation ask "Why did the canary of support-chat go back?"')
@click.argument("question", metavar="QUESTION")
@click.option("--incident", metavar="INCIDENT", help="Look at this incident only.")
def ask(session: Session, question: str, incident: str | None) -> None:
    """Answer QUESTION from incidents, alerts, releases, changes and runbooks. Exit code 6 when nothing answers it."""
    with session.client() as client:
        found = client.remediations.ask(question, incident=incident)
    quotes = (f"  {text.cell(each.link)}: {text.cell(each.quote)}" for each in found.citations)
    notes = (text.cell(found.note),) if found.note else ()
    session.answer(found, "\n".join([text.plain(found.answer), *quotes, *notes]))
    if found.abstained:
        raise click.exceptions.Exit(CODES[Kind.NO])


def _pair(given: str) -> tuple[str, Any]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{given!r} is not NAME=VALUE", param_hint="--set")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _state(found: Remediation) -> str:
    said = f": {text.cell(found.outcome)}" if found.outcome else ""
    return f"{found.id} is {found.state}{said}"


def _told(found: Remediation) -> str:
    preview = found.preview
    changes = preview.changes if preview is not None else ()
    waits = found.stands(datetime.now(UTC)) == "waits for a yes"
    approve = f"opsloop remediation approve {found.id} --digest {found.digest[:SHOWN_DIGEST]}"
    pairs = (
        ("remediation", found.id),
        ("title", found.title),
        ("state", found.stands(datetime.now(UTC))),
        ("it would" if not found.acted else "it was to", preview.sentence if preview is not None else None),
        ("did", found.acted),
        ("outcome", found.outcome),
        ("target", found.target),
        ("incident", found.incident or "none, it is a rehearsal"),
        ("level", f"{found.level.value}, {found.level.does}"),
        ("lapses", found.expires_at if waits else None),
        ("needs", f"{found.needed} people's yes" if found.needed > 1 and waits else None),
    )
    parts = [text.fields([each for each in pairs if each[1]])]
    for title, lines in (
        ("what changes", changes),
        ("why this level", found.why_level),
        ("for it", found.because),
        ("against it", found.against),
        ("ask", found.questions),
        ("do", found.checklist),
        ("commands", found.commands),
        ("checks", tuple(f"{each.check}, {each.verdict}: {each.sentence}" for each in found.findings)),
        ("votes", tuple(f"{'yes' if each.is_yes else 'no'} by {each.by} {each.reason}" for each in found.votes)),
        ("to say yes", (approve,) if waits else ()),
    ):
        if lines:
            parts.append("\n".join([title, *(f"  {text.cell(each)}" for each in lines)]))
    return "\n\n".join(parts)


def _standing(found: Standing) -> str:
    record = found.record
    held = ", held as production" if found.is_production and found.environment != "production" else ""
    place = f"{text.cell(found.environment)}{held}"
    head = f"{found.playbook}: level {found.level.value} in {place} ({text.cell(found.title)})"
    lines = [f"  record: {record.successes} helped, {record.failures} did not, {record.since_failure} in a row"]
    if found.is_production and found.action:
        lines.append(f"  outside of production: {found.outside} helped in a row")
    lines += [f"  for more: {text.cell(each)}" for each in found.missing]
    return "\n".join([head, *lines])
