"""How a command tells what happens while it happens: a line per step, its word first."""

from __future__ import annotations

import textwrap

import click

from opsloop.evaluation.models import GateReport

WIDTH = 10
COLUMNS = 112
_COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


def step(word: str, sentence: str, *, colour: str | None = None) -> None:
    """One step; a long sentence goes on below its beginning."""
    lines = textwrap.wrap(sentence, COLUMNS - WIDTH - 3, break_long_words=False, break_on_hyphens=False)
    click.echo(f"  {click.style(f'{word:<{WIDTH}}', bold=True, fg=colour)} {lines[0]}")
    for line in lines[1:]:
        click.echo(f"{'':<{WIDTH + 3}}{line}")


def scene(sentence: str) -> None:
    """What the next steps are about."""
    click.echo(f"\n  {sentence}")


def gate(report: GateReport) -> None:
    step("gate", report.sentence, colour=_COLOURS[report.verdict.value])
