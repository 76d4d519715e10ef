"""`opsloop model`: the registry of trained models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import model_predict, text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb
from opsloop.training.figures import listed as listed_figures

if TYPE_CHECKING:
    from opsloop.models.comparison import ModelComparison
    from opsloop.models.models import ModelVersion
    from opsloop.models.signature import Field
    from opsloop.releases.models import Release


@noun("model")
def model() -> None:
    """Trained models: versions, aliases, and what differs between them."""


for _command in model_predict.COMMANDS:
    model.add_command(_command)


@verb(model, "list", example="opsloop model list")
def listed(session: Session) -> None:
    """List the newest version of every model."""
    with session.client() as client:
        found = client.models.listed()
    words = _table(found) or "no models yet; `opsloop train run PIPELINE` or `opsloop model import` makes one"
    session.answer({"items": found}, words)


@verb(model, "versions", example="opsloop model versions iris")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
def versions(session: Session, name: str, limit: int) -> None:
    """List the versions of NAME, newest first."""
    with session.client() as client:
        found = client.models.versions(name, limit=limit)
    session.answer({"items": found}, lambda: _table(found))


@verb(
    model,
    "show",
    example="""opsloop model show iris
    opsloop model show iris@champion --json""",
)
@click.argument("ref", metavar="NAME[@V]")
def show(session: Session, ref: str) -> None:
    """Show a version: figures, columns, certificate, where it came from and which releases serve it.

    @V is a number or an alias; without it the newest version is shown.
    """
    with session.client() as client:
        found = client.models.get(ref)
        releases = client.endpoints.serving(found.ref)
    session.answer(found, lambda: _words(found, releases))


@verb(
    model,
    "alias",
    example="""opsloop model alias iris@3 champion
    opsloop model alias iris champion --drop""",
)
@click.argument("ref", metavar="NAME[@V]")
@click.argument("alias")
@click.option("--drop", is_flag=True, help="Take the alias away.")
def alias(session: Session, ref: str, alias: str, drop: bool) -> None:
    """Let ALIAS point at a version; where it pointed before is on record."""
    with session.client() as client:
        if drop:
            name = ref.partition("@")[0]
            client.models.drop_alias(name, alias)
            session.answer({"name": name, "alias": alias, "version": None}, f"{name} has no alias {alias} now")
            return
        found = client.models.set_alias(ref, alias)
    session.answer(found, f"{found.name}@{alias} is {found.ref} now")


@verb(
    model,
    "compare",
    example="""opsloop model compare iris@2 iris@3
    opsloop model compare iris@champion iris@challenger""",
)
@click.argument("base", metavar="BASE")
@click.argument("head", metavar="HEAD")
def compare(session: Session, base: str, head: str) -> None:
    """Compare two versions: figures, columns, importance and certificates, HEAD against BASE."""
    with session.client() as client:
        found = client.models.compare(base, head)
    session.answer(found, lambda: _compared(found))


@verb(model, "diff", example="opsloop model diff iris@2 iris@3")
@click.argument("base", metavar="BASE")
@click.argument("head", metavar="HEAD")
def diff(session: Session, base: str, head: str) -> None:
    """Show only what differs between two versions, a line each."""
    with session.client() as client:
        found = client.models.compare(base, head)
    lines = _differences(found)
    session.answer({"is_same": found.is_same, "differences": lines}, "\n".join(lines) or found.sentence)


@verb(
    model,
    "export",
    example="""opsloop model export iris@3 iris-3
    opsloop model export iris@champion out --pickle""",
)
@click.argument("ref", metavar="NAME[@V]")
@click.argument("into", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False))
@click.option("--pickle", is_flag=True, help="Also model.pkl, made here; a pickle runs code when somebody loads it.")
def export(session: Session, ref: str, into: Path, pickle: bool) -> None:
    """Write the bundle of a version as FOLDER: model.onnx, reference rows, figures, manifest.json."""
    with session.client() as client:
        names = client.models.export(ref, into)
    if pickle:
        from opsloop.client import model_files

        names.append(model_files.write_pickle(into).name)
    says = f"wrote {len(names)} files to {into}: {', '.join(names)}"
    session.answer({"folder": str(into), "files": names}, says)


@verb(
    model,
    "import",
    example="""opsloop model import iris iris-3
    opsloop model import iris iris.onnx --rows iris.csv --target species
    opsloop model import iris forest.skops --rows iris.csv --target species --alias challenger""",
)
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--rows", type=click.Path(path_type=Path), metavar="FILE", help="Rows it is for, to become its reference."
)
@click.option("--target", metavar="COLUMN", help="Which column of the rows it predicts.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="Default: as the target suggests.")
@click.option("--feature", "features", multiple=True, metavar="COLUMN", help="A column it takes, in order; repeat it.")
@click.option("--dataset", default="", metavar="NAME@V", help="The version it was trained on, for the record.")
@click.option("--alias", default="", metavar="ALIAS", help="Points at the new version from now on.")
def import_(
    session: Session,
    name: str,
    path: Path,
    rows: Path | None,
    target: str | None,
    task: str | None,
    features: tuple[str, ...],
    dataset: str,
    alias: str,
) -> None:
    """Register the model in PATH as a version of NAME.

    PATH is a folder that `opsloop model export` wrote, a .onnx file, or a .skops file, which is converted here and
    must then say the same. The last two need --rows and --target. Pickles are never loaded.
    """
    from opsloop.client import model_files

    chosen = model_files.Rows(rows, target, task, features) if rows is not None and target else None
    with session.client() as client, session.progress(f"registering {path.name}"):
        candidate = model_files.candidate_of(path, chosen)
        found = client.models.register(name, candidate, dataset=dataset, alias=alias)
    session.answer(found, lambda: _words(found, []))


def _table(found: list[ModelVersion]) -> str:
    headings = ("model", "aliases", "task", "figures", "trained on", "registered")
    rows = [
        (each.ref, ", ".join(each.aliases), each.task, figures(each, 2), each.dataset, each.created_at)
        for each in found
    ]
    return text.table(headings, rows)


def figures(version: ModelVersion, most: int) -> str:
    """`accuracy 0.9667, log_loss 0.12`: the first few."""
    return listed_figures(version.metrics, most)


def _words(found: ModelVersion, releases: list[Release]) -> str:
    output = found.signature.output
    classes = f" of {', '.join(map(str, output.classes[:10]))}" if output.classes else ""
    parity = found.parity
    pairs: list[tuple[str, object]] = [
        ("model", found.ref),
        ("aliases", ", ".join(found.aliases)),
        ("predicts", f"{output.name}, {output.task}{classes}"),
        ("made by", found.framework),
        ("trained on", found.dataset),
        ("run", found.run),
        (
            "certificate",
            f"{parity.rows:,} rows compared, largest difference {parity.largest_difference:.2g}, "
            f"{parity.flips} flips, {parity.precision}",
        ),
        ("digest", found.digest),
        ("registered", f"{text.moment(found.created_at)} by {found.created_by}"),
    ]
    pairs += [("served by", f"{each.endpoint} release {each.number}") for each in releases[:10]]
    parts = [text.fields(pairs)]
    if found.metrics:
        parts.append(text.table(("figure", "value"), found.metrics.items()))
    rows = [(each.name, each.type, _range(each), "yes" if each.nullable else "no") for each in found.signature.inputs]
    parts.append(text.table(("input", "type", "seen in training", "may be missing"), rows))
    return "\n\n".join(parts)


def _range(field: Field) -> str:
    if field.low is not None and field.high is not None:
        return f"{field.low:g} to {field.high:g}"
    more = f" and {len(field.categories) - 8} more" if len(field.categories) > 8 else ""
    return ", ".join(field.categories[:8]) + more


def _compared(found: ModelComparison) -> str:
    base, head = found.base.ref, found.head.ref
    parts = [found.sentence]
    if found.metrics:
        rows = [(each.name, each.base, each.head, each.difference, _better(each.is_better)) for each in found.metrics]
        parts.append(text.table(("figure", base, head, "difference", ""), rows))
    if found.inputs:
        parts.append(text.table(("input", "change"), [(each.name, each.what) for each in found.inputs]))
    if found.importance:
        leans = [(each.name, each.base, each.head) for each in found.importance[:20]]
        parts.append(text.table((f"importance ({found.importance_by})", base, head), leans))
    parity = [
        (each.ref, each.parity.rows, each.parity.largest_difference, each.parity.precision) for each in _both(found)
    ]
    parts.append(text.table(("certificate", "rows", "largest difference", "numbers"), parity))
    return "\n\n".join(parts)


def _differences(found: ModelComparison) -> list[str]:
    if found.is_same:
        return []
    lines = [
        f"{each.name}: {text.cell(each.base)} -> {text.cell(each.head)}{_note(each.is_better)}"
        for each in found.metrics
        if each.base != each.head
    ]
    lines += [f"{each.name}: {each.what}" for each in found.inputs]
    for what in ("framework", "dataset", "run"):
        before, after = getattr(found.base, what), getattr(found.head, what)
        if before != after:
            lines.append(f"{what}: {text.cell(before)} -> {text.cell(after)}")
    return lines


def _both(found: ModelComparison) -> tuple[ModelVersion, ModelVersion]:
    return found.base, found.head


def _better(is_better: bool | None) -> str:
    return "" if is_better is None else "better" if is_better else "worse"


def _note(is_better: bool | None) -> str:
    return f" ({_better(is_better)})" if is_better is not None else ""
