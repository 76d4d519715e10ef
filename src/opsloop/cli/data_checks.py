"""`opsloop data expect`, `validate`, `freeze`, `contamination`: what must hold of datasets, and whether it does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.datasets.contamination_models import ContaminationReport
    from opsloop.datasets.findings import DatasetPolicy, ExpectationReport


@lone(
    "expect",
    example="""opsloop data expect golden-questions suite.json --on-broken warn
    opsloop data expect golden-questions --write suite.json""",
)
@click.argument("name")
@click.argument("suite", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--on-broken", type=click.Choice(["refuse", "warn"]), help="What a registration does when one is not met."
)
@click.option("--pii", type=click.Choice(["report", "refuse", "allow"]), help="What it does about personal data.")
@click.option("--skip-unknown", is_flag=True, help="Leave out what is not known here of a Great Expectations suite.")
@click.option(
    "--write",
    "written",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write them as a suite that Great Expectations 1.x loads.",
)
def expect(
    session: Session,
    name: str,
    suite: Path | None,
    on_broken: str | None,
    pii: str | None,
    skip_unknown: bool,
    written: Path | None,
) -> None:
    """Declare what must hold of every version of dataset NAME; without SUITE show what does.

    SUITE is a list of expectations in YAML or JSON, or a suite of Great Expectations (0.18 or 1.x). It takes the place
    of what was declared before.
    """
    from opsloop.client import suites

    read = suites.read(suite, skip_unknown=skip_unknown) if suite is not None else None
    with session.client() as client:
        if read is None and on_broken is None and pii is None:
            policy = client.dataset_checks.policy(name)
        else:
            policy = client.dataset_checks.change_policy(
                name, expectations=read.declared if read is not None else None, on_broken=on_broken, pii=pii
            )
    if read is not None and read.skipped:
        session.note(f"left out: {', '.join(read.skipped)}")
    if written is not None:
        suites.write(written, name, policy.expectations)
        session.note(f"{len(policy.expectations)} expectations in {written}")
    session.answer(policy, lambda: _policy(policy))


@lone(
    "validate",
    example="""opsloop data validate golden-questions
    opsloop data validate golden-questions@2 --suite suite.json --json""",
)
@click.argument("ref", metavar="NAME[@V]")
@click.option(
    "--suite",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Expectations to check instead of those of the dataset.",
)
@click.option("--skip-unknown", is_flag=True, help="Leave out what is not known here of a Great Expectations suite.")
def validate(session: Session, ref: str, suite: Path | None, skip_unknown: bool) -> None:
    """Check a version under its dataset's expectations, or those in a file. Exit code 6 when one is not met."""
    from opsloop.client import suites
    from opsloop.core.errors import AnswerIsNo

    read = suites.read(suite, skip_unknown=skip_unknown) if suite is not None else None
    with session.client() as client:
        report = client.dataset_checks.validate(ref, read.declared if read is not None else None)
    session.answer(report, lambda: expectation_lines(report))
    if not report.met:
        raise AnswerIsNo(f"{ref}: {len(report.broken)} of {len(report.results)} expectations are not met")


@lone("freeze", example="opsloop data freeze golden-questions@3 --holdout 0.2 --by conversation")
@click.argument("ref", metavar="NAME[@V]")
@click.option("--holdout", "share", type=float, required=True, metavar="SHARE", help="Share of the rows, 0 to 1.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another one chooses other rows.")
@click.option("--by", metavar="COLUMN", help="Rows with the same value here stay together.")
@click.option(
    "--replace-holdout", "reason", metavar="REASON", help="Why others may be held out than were; put on record."
)
def freeze(session: Session, ref: str, share: float, seed: int, by: str | None, reason: str | None) -> None:
    """Hold out a share of a version's rows; versions after it must have them unchanged.

    Experiments name the parts as NAME@V/holdout and NAME@V/dev.
    """
    with session.client() as client:
        version = client.dataset_checks.freeze(ref, share, seed=seed, by=by, reason=reason)
    parts = version.parts
    session.answer(
        version, f"{version.ref}: {parts['holdout']} of {version.rows} rows are held out, {parts['dev']} are not"
    )


@lone(
    "contamination",
    example="opsloop data contamination golden-questions --against training-questions --flow flows/answer",
)
@click.argument("ref", metavar="NAME[@V]")
@click.option("--against", multiple=True, metavar="NAME[@V]", help="A dataset to look in; may be repeated.")
@click.option(
    "--flow",
    "flows",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder whose prompts and examples to look in; may be repeated.",
)
@click.option("--threshold", type=float, metavar="SHARE", help="Share of a text's 8-word sequences; default 0.7.")
def contamination(
    session: Session, ref: str, against: Sequence[str], flows: Sequence[Path], threshold: float | None
) -> None:
    """Look for the rows of a version in training data, prompts and examples. Exit code 6 when some are there.

    Texts are compared without case, spacing and marks. A text counts when 70 % of its sequences of eight words stand in
    one place; a shorter one when it stands there whole, and one of less than four words tells nothing.
    """
    from opsloop.core.errors import AnswerIsNo
    from opsloop.datasets.passages import texts_of

    if not against and not flows:
        raise click.UsageError("name a dataset with --against or a folder with --flow.")
    texts = [each for folder in flows for each in texts_of(folder)]
    with session.client() as client:
        report = client.dataset_checks.contamination(ref, against=against, texts=texts, threshold=threshold)
    session.answer(report, lambda: _contamination(report))
    if report.rows:
        raise AnswerIsNo(str(report))


COMMANDS = (expect, validate, freeze, contamination)


def expectation_lines(report: ExpectationReport) -> str:
    lines = [f"{'✓' if each.met else '✕'} {each}" for each in report.results]
    return "\n".join([*lines, f"{len(report.results) - len(report.broken)} of {len(lines)} are met"])


def _policy(policy: DatasetPolicy) -> str:
    pairs = (("dataset", policy.name), ("when broken", policy.on_broken), ("personal data", policy.pii))
    lines = [json.dumps(each, ensure_ascii=False) for each in policy.expectations]
    return "\n".join([text.fields(pairs), *(["", *lines] if lines else [])])


def _contamination(report: ContaminationReport) -> str:
    return "\n".join([*map(str, report.found), str(report)])
