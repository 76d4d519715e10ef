"""`opsloop monitor usage`: requests, calls to models, tokens and money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone
from opsloop.monitoring.usage.models import BY, By

if TYPE_CHECKING:
    from opsloop.monitoring.usage.models import Used

_NOBODY = {"key": "(no key)", "model": "(no call)"}


@lone(
    "usage",
    example="""opsloop monitor usage --by key
    opsloop monitor usage --by model --endpoint support-chat --from 2026-07-01 --to 2026-07-31""",
)
@click.option("--by", type=click.Choice(BY), default="day", show_default=True, help="What a line is.")
@click.option("--from", "since", metavar="DAY", help="The first day, such as 2026-07-01; by default 30 days back.")
@click.option("--to", "until", metavar="DAY", help="The last day; today by default.")
@click.option("--key", metavar="NAME", help="Only of this API key.")
@click.option("--endpoint", metavar="NAME", help="Only of this endpoint.")
@click.option("--model", metavar="NAME", help="Only of this model.")
def usage(
    session: Session,
    by: By,
    since: str | None,
    until: str | None,
    key: str | None,
    endpoint: str | None,
    model: str | None,
) -> None:
    """Add up requests, calls to models, tokens and money, in days of UTC."""
    with session.client() as client:
        report = client.usage.report(by, since=since, until=until, key=key, endpoint=endpoint, model=model)
    rows = [_row(each, each.name or _NOBODY.get(by, "")) for each in report.items]
    if len(rows) > 1:
        rows.append(_row(report.total, "total"))
    headings = (by, "requests", "errors", "calls", "tokens in", "tokens out", "USD", "without price")
    nothing = f"nothing was used from {report.since} to {report.until}"
    session.answer(report, text.table(headings, rows) or nothing)


def _row(used: Used, name: str) -> tuple[object, ...]:
    usd = f"{used.cost_usd:,.6f}"
    return (name, used.requests, used.errors, used.calls, used.tokens_in, used.tokens_out, usd, used.unpriced)


COMMANDS = (usage,)
