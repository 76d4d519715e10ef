"""`opsloop alert`: what is wrong now, who is told, who deals with it."""

from __future__ import annotations

import time

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

STATES = ("pending", "firing", "resolved")
_PAUSE_S = 0.2


@noun("alert")
def alert() -> None:
    """What is wrong now, who is told, who deals with it."""


@verb(alert, "list", example="opsloop alert list --state firing")
@click.option("--endpoint", metavar="NAME", help="Only of this endpoint.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def listed(session: Session, endpoint: str | None, state: str | None, limit: int) -> None:
    """List alerts, newest first."""
    with session.client() as client:
        found = client.alerts.listed(endpoint=endpoint, state=state, limit=limit)
    rows = [
        (each.started_at, each.id, each.state, each.severity, each.endpoint or None, each.rule, each.summary)
        for each in found
    ]
    words = text.table(("since", "alert", "state", "severity", "endpoint", "rule", "what"), rows)
    session.answer({"items": found}, words or "no alerts")


@verb(alert, "show", example="opsloop alert show alert_01k…")
@click.argument("alert_id", metavar="ALERT")
def show(session: Session, alert_id: str) -> None:
    """Show one alert."""
    with session.client() as client:
        found = client.alerts.get(alert_id)
    pairs = [
        ("what", found.summary),
        ("state", "firing, silenced" if found.is_silenced else found.state),
        ("severity", found.severity),
        ("endpoint", found.endpoint or None),
        ("rule", found.rule),
        ("source", found.source),
        ("since", found.started_at),
        ("fired", found.fired_at),
        ("resolved", found.resolved_at),
        ("acknowledged by", found.acknowledged_by),
        *((f"label {name}", value) for name, value in sorted(found.labels.items())),
    ]
    session.answer(found, text.fields(pairs))


@verb(alert, "ack", example="opsloop alert ack alert_01k…")
@click.argument("alert_id", metavar="ALERT")
def ack(session: Session, alert_id: str) -> None:
    """Say that somebody deals with ALERT: nobody is told of it again."""
    with session.client() as client:
        found = client.alerts.acknowledge(alert_id)
    session.answer(found, f"{found.id} is acknowledged by {found.acknowledged_by}")


@verb(
    alert,
    "silence",
    example="""opsloop alert silence endpoint=support-chat --for 7200 --reason "we move it"
    opsloop alert silence "rule=job-*" --reason known""",
)
@click.argument("matchers", nargs=-1, required=True, metavar="NAME=VALUE…")
@click.option(
    "--for",
    "lasts_s",
    type=click.FloatRange(1, 2_592_000),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="How long, from now on.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the audit trail.")
def silence(session: Session, matchers: tuple[str, ...], lasts_s: float, reason: str) -> None:
    """Tell nobody of alerts whose rule, endpoint, severity, source or labels match; * stands for anything."""
    wanted = dict(each.partition("=")[::2] for each in matchers)
    if any(not value for value in wanted.values()):
        raise click.UsageError("a matcher is NAME=VALUE, such as endpoint=support-chat")
    with session.client() as client:
        made = client.alerts.silence(wanted, lasts_s=lasts_s, reason=reason)
    session.answer(made, f"{made.id} holds until {made.until:%Y-%m-%d %H:%M:%S} UTC")


@verb(alert, "rules", example="opsloop alert rules")
def rules(session: Session) -> None:
    """List the rules by which alerts are found; opsloop.yaml declares others."""
    with session.client() as client:
        found = client.alerts.rules()
    rows = [(each.name, "default" if each.is_default else "own", _said(each.declared)) for each in found]
    session.answer({"items": found}, text.table(("rule", "from", "looks for"), rows))


@verb(alert, "channels", example="opsloop alert channels")
def channels(session: Session) -> None:
    """List where alerts are told; opsloop.yaml declares it."""
    with session.client() as client:
        found = client.alerts.channels()
    rows = [(each.name, each.form, each.to, ", ".join(each.severities) or "all") for each in found]
    words = text.table(("channel", "form", "to", "severities"), rows)
    session.answer({"items": found}, words or "nobody is told: declare a channel under `alerts:` in opsloop.yaml")


@verb(alert, "test", example="opsloop alert test oncall")
@click.argument("channel")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, 600),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the outcome.",
)
def test(session: Session, channel: str, timeout_s: float) -> None:
    """Send CHANNEL an alert that says it is a test, and tell what became of it; exit code 1 when it did not arrive."""
    from opsloop.core.errors import Failed, StillPending

    with session.client() as client:
        found = client.alerts.test(channel)
        until = time.monotonic() + timeout_s
        while not found.state.is_final and found.error is None and time.monotonic() < until:
            time.sleep(_PAUSE_S)
            found = client.alerts.delivery(found.id)
    session.answer(found, f"{channel}: {found.state} at {found.to}")
    if found.error is not None:
        raise Failed(f"channel {channel} was not reached at {found.to}: {found.error}")
    if not found.state.is_final:
        raise StillPending(f"channel {channel}: no answer of {found.to} yet; see delivery {found.id}")


def _said(declared: dict[str, object]) -> str:
    if declared.get("off"):
        return "off"
    return ", ".join(f"{key} {value}" for key, value in declared.items())
