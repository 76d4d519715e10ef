"""`opsloop monitor scoring`: have live answers of an endpoint scored."""

from __future__ import annotations

from typing import Any

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone


@lone(
    "scoring",
    example="""opsloop monitor scoring support-chat
    opsloop monitor scoring support-chat --evaluator pii_leak=privacy --share 0.1 --per-hour 60
    opsloop monitor scoring support-chat --off""",
)
@click.argument("endpoint")
@click.option(
    "--evaluator",
    "evaluators",
    multiple=True,
    metavar="NAME[=MEASURE]",
    help="Score by this one, into quality or privacy; may be given again. Options of evaluators stand in opsloop.yaml.",
)
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), help="Of the answers that are kept; all by default."
)
@click.option("--per-hour", type=click.IntRange(1, 10_000), help="At most so many answers an hour; 120 by default.")
@click.option("--off", is_flag=True, help="Score no more.")
def scoring(
    session: Session, endpoint: str, evaluators: tuple[str, ...], share: float | None, per_hour: int | None, off: bool
) -> None:
    """Show, or set, how live answers of ENDPOINT are scored."""
    if off and (evaluators or share or per_hour):
        raise click.UsageError("--off stands alone")
    if (share or per_hour) and not evaluators:
        raise click.UsageError("--share and --per-hour belong to --evaluator")
    with session.client() as client:
        if off:
            client.endpoints.score_no_more(endpoint)
            session.answer({"endpoint": endpoint, "scoring": None}, f"live answers of {endpoint} are not scored")
            return
        if evaluators:
            found = client.endpoints.score(endpoint, _wanted(evaluators, share, per_hour))
        else:
            found = client.endpoints.scoring(endpoint)
    rows = [(each.name, each.evaluator, each.measure, each.passes_from) for each in found.measures]
    said = f"{text.percent(found.share)} of kept answers, at most {found.per_hour} an hour"
    session.answer(found, f"{said}\n{text.table(('name', 'evaluator', 'measure', 'passes from'), rows)}")


def _wanted(evaluators: tuple[str, ...], share: float | None, per_hour: int | None) -> dict[str, Any]:
    named = {}
    for each in evaluators:
        name, _, measure = each.partition("=")
        named[name] = {"evaluator": name, "measure": measure or "quality"}
    given = {"share": share, "per_hour": per_hour}
    return {"evaluators": named, **{key: value for key, value in given.items() if value is not None}}


COMMANDS = (scoring,)
