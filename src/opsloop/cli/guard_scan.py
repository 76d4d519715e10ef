"""`opsloop guard scan` and `screens`: what a text holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.guardrails.models import Scan


@lone(
    "scan",
    example="""opsloop guard scan letter.txt
    opsloop guard scan - --screen pii --screen secrets --json < answer.txt""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--screen", "screens", multiple=True, metavar="NAME", help="Only this one; may be given again.")
def scan(session: Session, file: Path, screens: tuple[str, ...]) -> None:
    """Say what FILE holds and where, never what it says; exit 6 when something is found. - reads stdin.

    A screen that could not look is named; when nothing was found without it, that is a failure (exit 1), not an answer.
    """
    from opsloop.core.errors import AnswerIsNo, Failed  # after --help

    said = _read(file)
    with session.client() as client:
        found = client.guardrails.scan(said, screens=screens or None)
    session.answer(found, lambda: _table(said, found) or "nothing found")
    for failure in found.failures:
        session.note(f"{failure.screen} could not look: {failure.reason}")
    if found.findings:
        kinds = ", ".join(sorted({each.kind for each in found.findings}))
        raise AnswerIsNo(f"{file}: {len(found.findings)} finding{'s' if len(found.findings) > 1 else ''} ({kinds})")
    if found.failures:
        names = ", ".join(each.screen for each in found.failures)
        raise Failed(f"{file}: not looked through by {names}; the platform's log says why")


@lone("screens", example="opsloop guard screens")
def screens(session: Session) -> None:
    """List the screens there are, those of installed packages too."""
    with session.client() as client:
        found = client.guardrails.screens()
    rows = [(each.name, each.by_default, each.kinds, each.needs, each.trouble) for each in found]
    session.answer({"items": found}, text.table(("screen", "default", "kinds", "needs", "trouble"), rows))


def _read(file: Path) -> str:
    from opsloop.core.errors import InvalidInput  # as above

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: not UTF-8 text at byte {error.start}", field="file") from error


def _table(said: str, found: Scan) -> str:
    rows = []
    line, line_start = 1, 0
    for each in found.findings:  # in the order of the text
        line += said.count("\n", line_start, each.start)
        line_start = max(line_start, said.rfind("\n", 0, each.start) + 1)
        rows.append((line, each.start - line_start + 1, each.end - each.start, each.screen, each.kind, each.score))
    return text.table(("line", "column", "characters", "screen", "kind", "score"), rows)


COMMANDS = (scan, screens)
