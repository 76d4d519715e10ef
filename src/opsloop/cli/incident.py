"""`opsloop incident`: what broke, why, who deals with it, what it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.incidents.models import Incident

STATES = ("open", "acknowledged", "mitigated", "closed")
MOST_LINES = 40


@noun("incident")
def incident() -> None:
    """What broke, why, who deals with it, what it was."""


@verb(incident, "list", example="opsloop incident list --going-on")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--going-on", is_flag=True, help="Only those that are not closed.")
@click.option("--endpoint", metavar="NAME", help="Only about this endpoint.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, state: str | None, going_on: bool, endpoint: str | None, limit: int) -> None:
    """List incidents, newest first."""
    with session.client() as client:
        found = client.incidents.listed(state=state, going_on=going_on, endpoint=endpoint, limit=limit)
    rows = [(each.opened_at, each.id, each.severity, each.state, each.signal_count, each.title[:80]) for each in found]
    words = text.table(("opened", "incident", "severity", "state", "signals", "title"), rows)
    session.answer({"items": found}, words or "no incident; signals of webhooks, alerts and drift open one")


@verb(incident, "show", example="opsloop incident show incident_01j…")
@click.argument("incident_id", metavar="INCIDENT")
def show(session: Session, incident_id: str) -> None:
    """Show INCIDENT: its suspects, its timeline, closed ones that are like it."""
    with session.client() as client:
        found = client.incidents.get(incident_id)
    session.answer(found, _told(found))


@verb(incident, "ack", example="opsloop incident ack incident_01j…")
@click.argument("incident_id", metavar="INCIDENT")
def ack(session: Session, incident_id: str) -> None:
    """Say that you deal with INCIDENT. Exit code 5 when it is closed."""
    with session.client() as client:
        found = client.incidents.acknowledge(incident_id)
    session.answer(found, f"{found.id}: {text.cell(found.acknowledged_by)} deals with it")


@verb(incident, "note", example='opsloop incident note incident_01j… "the cache is cold"')
@click.argument("incident_id", metavar="INCIDENT")
@click.argument("words", metavar="TEXT")
def note(session: Session, incident_id: str, words: str) -> None:
    """Write TEXT into the timeline of INCIDENT."""
    with session.client() as client:
        found = client.incidents.note(incident_id, words)
    session.answer(found, f"{found.id}: noted")


@verb(
    incident,
    "close",
    example="""opsloop incident close incident_01j… --as "endpoint/chat, release 7"
    opsloop incident close incident_01j… --false-alarm""",
)
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--as", "cause", metavar="CAUSE", default="", help="What it was: a suspect's name, a change, in words.")
@click.option("--other", is_flag=True, help="CAUSE says nothing about the detectors, such as a test.")
@click.option("--false-alarm", is_flag=True, help="Nothing was wrong; after three in a row a detector is heard later.")
def close(session: Session, incident_id: str, cause: str, other: bool, false_alarm: bool) -> None:
    """Close INCIDENT and say what it was, which the next one shows. Exit code 5 when it is closed already."""
    if other and false_alarm:
        raise click.BadParameter("give --other or --false-alarm", param_hint="--other")
    if not cause.strip() and not false_alarm:
        raise click.BadParameter("say what it was, or --false-alarm", param_hint="--as")
    closed_as = "false alarm" if false_alarm else "other" if other else "cause"
    with session.client() as client:
        found = client.incidents.close(incident_id, closed_as=closed_as, cause=cause)
    session.answer(found, f"{found.id} is closed as {closed_as}")


@verb(incident, "report", example="opsloop incident report incident_01j… --format html --output postmortem.html")
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--format", "form", type=click.Choice(("md", "html")), default="md", show_default=True, help="Its form.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: stdout.")
def report(session: Session, incident_id: str, form: str, output: Path | None) -> None:
    """Draft the postmortem of INCIDENT from its timeline."""
    with session.client() as client:
        document = client.incidents.report(incident_id, form="html" if form == "html" else "md")
    if output is not None:
        output.write_text(document, encoding="utf-8")
        session.answer({"incident": incident_id, "file": str(output)}, f"wrote {output}")
    else:
        session.answer({"incident": incident_id, "report": document}, text.plain(document))


@verb(incident, "detectors", example="opsloop incident detectors")
@click.option("--forgive", metavar="MARK", help="Let this detector's signals open incidents at once again.")
@click.option("--mute", metavar="MARK", help="Let this detector's signals open and join none, until it is forgiven.")
def detectors(session: Session, forgive: str | None, mute: str | None) -> None:
    """List what finds signals, and how often closed incidents say that it was wrong."""
    if forgive is not None and mute is not None:
        raise click.BadParameter("give --forgive or --mute", param_hint="--mute")
    with session.client() as client:
        if forgive is not None:
            client.incidents.forgive(forgive)
        elif mute is not None:
            client.incidents.mute(mute)
        found = client.incidents.detectors()
    rows = [
        (
            each.mark,
            each.source,
            each.name[:60],
            each.signals,
            each.confirmed,
            each.false_alarms_ever,
            "never, it is muted" if each.is_muted else each.needs_times,
        )
        for each in found
    ]
    headings = ("mark", "source", "name", "signals", "confirmed", "false alarms", "told before it opens")
    words = text.table(headings, rows)
    session.answer({"items": found}, words or "no detector found anything yet")


@verb(incident, "topology", example="opsloop incident topology")
@click.option(
    "--limit", type=click.IntRange(1, 2000), default=100, show_default=True, help="How many, seen last first."
)
def topology(session: Session, limit: int) -> None:
    """List which endpoint, service, provider or collection calls which, as traces showed of late."""
    with session.client() as client:
        found = client.incidents.topology(limit=limit)
    rows = [(each.caller, each.callee, each.calls, each.errors, each.seen_at) for each in found]
    words = text.table(("caller", "callee", "calls", "errors", "seen"), rows)
    session.answer({"items": found}, words or "no call is known yet: traces of endpoints and of services show them")


def _told(found: Incident) -> str:
    pairs = (
        ("incident", found.id),
        ("title", found.title),
        ("state", found.state),
        ("severity", found.severity),
        ("about", found.subjects),
        ("signals", f"{found.signal_count}, told {found.told_count} times"),
        ("cost", [each.sentence for each in found.impact]),
        ("opened", found.opened_at),
        ("acknowledged by", found.acknowledged_by),
        ("closed as", found.closed_as),
        ("cause", found.cause),
    )
    parts = [text.fields(pairs)]
    for place, each in enumerate(found.suspects, 1):
        said = [*each.evidence, *(f"against it: {line}" for line in each.counter_evidence)]
        head = f"{place}. {text.cell(each.name)} ({each.score:.2f})"
        parts.append("\n".join([head, *(f"   {text.cell(line)}" for line in said)]))
    rows = [(each.at, each.kind, each.text[:120]) for each in found.timeline[-MOST_LINES:]]
    parts.append(text.table(("at", "what", "words"), rows))
    if found.similar:
        similar = [(each.incident, text.percent(each.share), each.closed_as, each.cause[:80]) for each in found.similar]
        parts.append(text.table(("like", "share", "closed as", "cause"), similar))
    return "\n\n".join(parts)
