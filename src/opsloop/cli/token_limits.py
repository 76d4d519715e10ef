"""`opsloop token limit` and `limits`: what keys and endpoints may use."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.limits.models import LimitState, Use

_BUDGET = re.compile(r"\$?(?P<usd>\d+(\.\d+)?)/(?P<period>day|month)")


class Budget(click.ParamType[tuple[str, float]]):
    """`5/day`: US dollars and how long they are for."""

    name = "USD/day|month"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> tuple[str, float]:
        found = _BUDGET.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r}: wanted US dollars for a day or a month, such as 5/day or 120/month", param, context)
        return found["period"], float(found["usd"])


@lone(
    "limit",
    example="opsloop token limit ci --requests-per-minute 60 --budget 5/day\n"
    "opsloop token limit --endpoint support-chat --budget 200/month\n"
    "opsloop token limit --default --requests-per-minute 100",
)
@click.argument("name", required=False)
@click.option("--endpoint", metavar="NAME", help="Limit this endpoint, whoever asks it, and no key.")
@click.option("--default", "is_default", is_flag=True, help="Limit each key that has no limit of its own.")
@click.option("--requests-per-minute", type=click.IntRange(0, 1_000_000_000), help="Requests to begin in a minute.")
@click.option("--tokens-per-minute", type=click.IntRange(0, 1_000_000_000), help="Tokens asked and answered.")
@click.option("--concurrent", type=click.IntRange(0, 1_000_000_000), help="Requests at a time.")
@click.option("--budget", "budgets", type=Budget(), multiple=True, help="Money for models; once for each period.")
@click.option("--none", "removes", is_flag=True, help="Limit it no more.")
def limit(
    session: Session,
    name: str | None,
    endpoint: str | None,
    is_default: bool,
    requests_per_minute: int | None,
    tokens_per_minute: int | None,
    concurrent: int | None,
    budgets: tuple[tuple[str, float], ...],
    removes: bool,
) -> None:
    """Say what the key NAME, an endpoint or each key may use; what was said before stays unless it is said anew."""
    from opsloop.limits.declared import in_words
    from opsloop.limits.models import Limit, Scope

    if [name is not None, endpoint is not None, is_default].count(True) != 1:
        raise click.UsageError("say whom to limit: the NAME of a key, --endpoint NAME or --default")
    scope = Scope.KEY if name is not None else Scope.ENDPOINT if endpoint is not None else Scope.DEFAULT
    whose = name or endpoint or ""
    said = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "concurrent": concurrent,
        **{f"usd_per_{period}": usd for period, usd in budgets},
    }
    given: dict[str, Any] = {key: value for key, value in said.items() if value is not None}
    if removes == bool(given):
        raise click.UsageError("say what it may use, such as --budget 5/day, or --none alone")
    with session.client() as client:
        if removes:
            client.limits.remove(scope, whose)
            session.answer({"scope": scope, "name": whose, "limit": None}, f"{_who(scope, whose)} is not limited")
            return
        there = next((each for each in client.limits.listed() if (each.scope, each.name) == (scope, whose)), None)
        state = client.limits.put(scope, whose, replace(there.limit if there else Limit(), **given))
    session.answer(state, f"{_who(state.scope, state.name)} may use {in_words(state.limit)}")


@lone("limits", example="opsloop token limits")
def limits(session: Session) -> None:
    """List limits, and what is used of them now."""
    with session.client() as client:
        states, uses = client.limits.listed(), client.limits.used()
    rows = [_row(each) for each in states]
    words = text.table(("who", "may use"), rows) or "no limits yet; set one with `opsloop token limit NAME`"
    if uses:
        used = [_use_row(each) for each in uses]
        words += "\n\n" + text.table(("who", "what", "used", "held", "of", "starts anew"), used)
    session.answer({"items": states, "use": uses}, words)


COMMANDS = (limit, limits)


def _row(state: LimitState) -> tuple[str, str]:
    from opsloop.limits.declared import in_words

    return _who(state.scope, state.name), in_words(state.limit)


def _use_row(use: Use) -> tuple[object, ...]:
    shown = ("${:.4f}" if use.meter.is_money else "{:.0f}").format
    of = "no limit" if use.limit is None else shown(use.limit)
    what = use.meter.value.replace("_", " a ").replace("usd", "money")
    return _who(use.scope, use.name), what, shown(use.used), shown(use.held), of, use.resets_at


def _who(scope: str, name: str) -> str:
    return f"{scope} {name}" if name else "each key without a limit"
