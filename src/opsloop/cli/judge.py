"""`opsloop judge`: models that judge answers, and how far they agree with people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.evaluation.judges.models import Calibration, JudgeShown, Measured


@noun("judge")
def judge() -> None:
    """Models that judge answers, and how far they agree with people."""


@verb(judge, "register", example="opsloop judge register helpful judge.yaml")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def register(session: Session, name: str, file: Path) -> None:
    """Keep the judge in FILE under NAME: a rubric or a prompty, a scale, a model.

    Any change of them makes a new version, which must be calibrated before it may gate.
    """
    with session.client() as client:
        found = client.judges.register(name, file)
    model = f"model {found.model}" if found.model else "the model of its prompty or of the settings"
    session.answer(found, f"{found.ref}: scale {found.scale}, {model}")


@verb(judge, "list", example="opsloop judge list")
@click.option("--name", help="All versions of this one.")
def listed(session: Session, name: str | None) -> None:
    """List judges."""
    with session.client() as client:
        found = client.judges.listed(name=name)
    rows = [(each.ref, each.scale, each.model, each.digest[:12], each.created_at) for each in found]
    words = text.table(("judge", "scale", "model", "digest", "created"), rows)
    session.answer({"items": found}, words or "no judges yet; `opsloop judge register NAME FILE` keeps one")


@verb(
    judge,
    "calibrate",
    example="""opsloop judge calibrate helpful --labels labelled@2
    opsloop judge calibrate helpful --labels labelled --label ann --label ben --map answer=response""",
)
@click.argument("name", metavar="JUDGE")
@click.option("--labels", "dataset", required=True, metavar="DATASET[@V]", help="Rows that people labelled.")
@click.option("--label", "columns", multiple=True, metavar="COLUMN", help="Column of labels; one for each annotator.")
@click.option("--map", "mappings", multiple=True, metavar="INPUT=COLUMN", help="Column that feeds an input.")
@click.option("--retest", type=click.IntRange(0, 10_000), help="Rows to ask a second time; default 50.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0), metavar="SECONDS", help="Stop waiting after this.")
def calibrate(
    session: Session,
    name: str,
    dataset: str,
    columns: tuple[str, ...],
    mappings: tuple[str, ...],
    retest: int | None,
    timeout_s: float | None,
) -> None:
    """Hold JUDGE against people's labels, and keep how far they agree.

    Exit code 6 when the agreement is not enough for it to gate, 8 when the time ended before it did.
    """
    from opsloop.core.errors import AnswerIsNo, Failed
    from opsloop.evaluation.judges.models import CalibrationStatus

    with session.client() as client, session.progress("judging") as progress:
        started = client.judges.calibrate(name, dataset, labels=columns, mappings=_pairs(mappings), retest=retest)
        done = client.judges.wait(started.id, timeout_s=timeout_s, tell=lambda at: progress(at.done, at.total))
        shown = client.judges.get(done.judge)
    session.answer({"calibration": done, "may_gate": shown.may_gate, "why": shown.why}, lambda: _words(done))
    if done.status is CalibrationStatus.FAILED:
        raise Failed(f"the calibration of judge {done.judge} failed: {done.error}")
    if not shown.may_gate:
        raise AnswerIsNo(f"judge {done.judge} may not gate: {shown.why}")


@verb(judge, "show", example="opsloop judge show helpful@2")
@click.argument("name", metavar="JUDGE")
def show(session: Session, name: str) -> None:
    """Show JUDGE: what it is told, its calibrations, and whether it may gate."""
    with session.client() as client:
        found = client.judges.get(name)
    session.answer(found, lambda: _shown(found))


def _shown(found: JudgeShown) -> str:
    version = found.version
    pairs = [
        ("judge", version.ref),
        ("scale", version.scale),
        ("model", version.model or "of its prompty or of the settings"),
        ("digest", version.digest),
        ("gates", "it may" if found.may_gate else f"not yet: {found.why}"),
    ]
    rubric = str(version.declared.get("rubric") or version.declared.get("prompty") or "")
    parts = [text.fields(pairs), rubric.strip()]
    return "\n\n".join([*parts, *(_words(each) for each in found.calibrations[:1])])


def _words(found: Calibration) -> str:
    pairs = [
        ("calibration", found.id),
        ("judge", found.judge),
        ("labels", f"{', '.join(found.labels)} of {found.dataset}"),
    ]
    if found.agreement is None or found.biases is None:
        return text.fields(
            [*pairs, ("status", found.status if found.error is None else f"{found.status}: {found.error}")]
        )
    agreement, biases = found.agreement, found.biases
    left_out = f", {agreement.undecided} undecided left out" if agreement.undecided else ""
    pairs += [
        (
            "rows",
            f"{agreement.rows}, {agreement.failed} without a score{left_out}; most annotators: {agreement.annotators}",
        ),
        ("answered by", ", ".join(found.answered_by) or "unknown"),
        ("calls", f"{found.calls}, {found.prompt_tokens + found.completion_tokens:,} tokens, {_cost(found.cost_usd)}"),
    ]
    figures = [
        ("agreement", agreement.raw),
        ("kappa", agreement.kappa),
        *((f"alpha, {level}", each) for level, each in agreement.alphas.items()),
        ("alpha of people alone", agreement.people),
        ("sensitivity", agreement.sensitivity),
        ("specificity", agreement.specificity),
        ("length bias", biases.length),
        ("same in both orders", biases.order),
        ("took the first", biases.first),
        ("same when asked again", biases.retest),
    ]
    rows = [(name, each.value, each.low, each.high, each.rows, each.method) for name, each in _there(figures)]
    return f"{text.fields(pairs)}\n\n{text.table(('figure', 'value', '95 % from', 'to', 'rows', 'method'), rows)}"


def _there(figures: list[tuple[str, Measured | None]]) -> list[tuple[str, Measured]]:
    return [(name, each) for name, each in figures if each is not None]


def _cost(cost_usd: float | None) -> str:
    return "cost not known" if cost_usd is None else f"{cost_usd:.4f} USD"


def _pairs(mappings: tuple[str, ...]) -> dict[str, str]:
    from opsloop.core.errors import InvalidInput

    found = {}
    for each in mappings:
        name, equals, column = each.partition("=")
        if not (name and equals and column):
            raise InvalidInput(field="--map", value=each, wanted="INPUT=COLUMN")
        found[name] = column
    return found
