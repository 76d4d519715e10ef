"""`opsloop migrate check`: which flows of a tree run here, and what the others need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.flow.loading import project_workspace
from opsloop.cli.migrate.noun import migrate
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb

if TYPE_CHECKING:
    from opsloop.flows.migration.findings import FlowFinding, Verdict

MARKS = {"runs": "✓", "needs": "~", "cannot": "✕"}


@verb(
    migrate,
    "check",
    example="""opsloop migrate check .
    opsloop migrate check flows --json""",
)
@click.argument("path", metavar="DIR", type=click.Path(exists=True, path_type=Path))
def check(session: Session, path: Path) -> None:
    """Look at every flow in DIR and below, and say which run here, which need something, and which cannot run and why.

    None of their code is run. Exit code 6 when not all run as they are.
    """
    from opsloop.core.errors import AnswerIsNo, InvalidInput
    from opsloop.flows.connections import lookup
    from opsloop.flows.migration import check as checking
    from opsloop.flows.migration.findings import Verdict, counted

    with project_workspace(session):
        found = checking.check(path, lookup.here())
    if not found:
        raise InvalidInput(
            field="DIR", value=str(path), wanted="a folder with flow.dag.yaml, flow.flex.yaml or .prompty"
        )
    counts = counted(found)
    answer = {
        "flows": [{**asdict(each), "verdict": each.verdict.value} for each in found],
        **{verdict.value: count for verdict, count in counts.items()},
    }
    session.answer(answer, lambda: _words(found))
    if counts[Verdict.RUNS] != len(found):
        raise AnswerIsNo(_summary(counts, len(found)))
    session.note(_summary(counts, len(found)))


def _words(found: Sequence[FlowFinding]) -> str:
    width = max(len(each.path) for each in found)
    lines = [line for each in found for line in _lines(each, width)]
    return "\n".join([*lines, *_to_do(found)])


def _lines(finding: FlowFinding, width: int) -> Iterator[str]:
    head = f"{MARKS[finding.verdict]} {finding.verdict:<6}  {finding.path:<{width}}  {finding.format:<7}"
    said = [*finding.reasons, *_needs(finding)] or [""]
    yield f"{head}  {text.cell(said[0]) if said[0] else ''}".rstrip()
    yield from (f"{'':{len(head)}}  {text.cell(each)}" for each in said[1:])


def _needs(finding: FlowFinding) -> Iterator[str]:
    for package in finding.packages:
        by = f"{', '.join(package.where)} imports {package.module}"
        unknown = f"the package that brings {package.module.partition('.')[0]}, which no requirements name"
        yield f"pip install {package.package}  ({by})" if package.package is not None else f"{unknown}  ({by})"
    for each in finding.connections:
        until = "; the offline engine answers until then" if each.is_for_model else ""
        of_type = f" of type {each.type}" if each.type else ""
        yield f"connection {each.name}{of_type}, for {', '.join(each.nodes)}{until}"


def _to_do(found: Sequence[FlowFinding]) -> Iterator[str]:
    """What would let the most flows run, in one place."""
    needed = {each.package for finding in found for each in finding.packages}
    packages = sorted((name for name in needed if name is not None), key=str.lower)
    connections: dict[str, Any] = {}
    for each in (each for finding in found for each in finding.connections):
        connections[each.name] = connections.get(each.name) or each.type
    if packages or connections:
        yield ""
    if packages:
        yield f"pip install {' '.join(packages)}"
    for name, type in sorted(connections.items()):
        yield f"opsloop connection create --file FILE --name {name}{f'    # of type {type}' if type else ''}"


def _summary(counts: dict[Verdict, int], total: int) -> str:
    runs, needs, cannot = counts.values()
    parts = [
        f"{runs} of {total} flows run as they are"
        if total > 1
        else f"the flow {'runs as it is' if runs else 'does not run yet'}",
        f"{needs} need{'' if needs != 1 else 's'} a package or a connection" if needs else "",
        f"{cannot} cannot run" if cannot else "",
    ]
    return ", ".join(part for part in parts if part)
