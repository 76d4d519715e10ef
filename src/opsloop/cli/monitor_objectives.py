"""`opsloop monitor slo`, `rules`: objectives of endpoints, here and in Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.monitoring.objectives.models import Standing


@lone(
    "slo",
    example="""opsloop monitor slo
    opsloop monitor slo support-chat""",
)
@click.argument("endpoint", required=False)
def slo(session: Session, endpoint: str | None) -> None:
    """Show how objectives stand: of ENDPOINT, or of every endpoint. Exit code 6 when a budget is used up."""
    with session.client() as client:
        found = list(client.objectives.of(endpoint).items) if endpoint else client.objectives.standings()
    session.answer({"items": found}, lambda: _in_words(found))
    broken = [each for each in found if each.is_broken]
    if broken:
        from opsloop.core.errors import AnswerIsNo

        first, more = broken[0], len(broken) - 1
        others = f" (and {more} more)" if more else ""
        raise AnswerIsNo(f"{first.endpoint} misses its objective {first.name}{others}: {first.sentence}")


def _in_words(found: list[Standing]) -> str:
    rows = [
        (
            each.endpoint,
            each.name,
            each.state.replace("_", " "),
            _value(each),
            f"{each.window_days:g} d",
            text.percent(each.budget_left),
            each.bad,
            each.total,
        )
        for each in found
    ]
    headings = ("endpoint", "objective", "state", "value, target", "window", "budget left", "bad", "of")
    return text.table(headings, rows) or "no endpoint was asked yet"


def _value(each: Standing) -> str:
    if each.measure == "mean_latency":
        value = "-" if each.value is None else f"{each.value:.0f} ms"
        return f"{value}, {each.within_ms} ms"
    return f"{text.percent(each.value)}, {text.percent(each.target)}"


@lone("rules", example="opsloop monitor rules > opsloop.rules.yml")
def rules(session: Session) -> None:
    """Print the objectives as recording and alerting rules of Prometheus."""
    with session.client() as client:
        found = client.objectives.rules()
    session.answer({"rules": found}, found.removesuffix("\n"))


COMMANDS = (slo, rules)
