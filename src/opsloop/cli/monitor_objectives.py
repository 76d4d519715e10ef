"""`opsloop monitor slo`, `rules`, `dashboard`: objectives and figures of endpoints, here, in Prometheus and Grafana."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.monitoring.objectives.models import Standing


WINDOWS = ("3600", "21600", "86400", "604800", "2592000")


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


@lone(
    "dashboard",
    example="""opsloop monitor dashboard support-chat --window 86400
    opsloop monitor dashboard --grafana > opsloop.json""",
)
@click.argument("endpoint", required=False)
@click.option("--window", "window_s", type=click.Choice(WINDOWS), default="21600", show_default=True, metavar="SECONDS",
              help=f"Until now: {', '.join(WINDOWS)}.")  # fmt: skip
@click.option("--grafana", is_flag=True, help="Print the same panels as a dashboard to import into Grafana.")
def dashboard(session: Session, endpoint: str | None, window_s: str, grafana: bool) -> None:
    """Show the newest figures of ENDPOINT, or of all endpoints together, beside those of the window."""
    with session.client() as client:
        if grafana:
            session.out.write(client.monitoring.grafana_dashboard())
            return
        found = client.monitoring.dashboard(endpoint=endpoint, window_s=int(window_s))
    rows = [
        (panel.title, line.name, panel.said, *_figures([value for value in line.values if value is not None]))
        for panel in found.panels
        for line in panel.lines
    ]
    session.answer(found, text.table(("panel", "line", "in", "newest", "least", "most"), rows))


def _figures(values: list[float]) -> tuple[float | None, float | None, float | None]:
    return (values[-1], min(values), max(values)) if values else (None, None, None)


COMMANDS = (slo, rules, dashboard)
