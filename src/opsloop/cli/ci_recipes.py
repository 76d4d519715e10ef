"""`opsloop ci add`: the pipelines that come with Opsloop, put where the CI system looks for them."""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from pathlib import Path

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

PLACES = {"github-actions": Path(".github") / "workflows", "azure-pipelines": Path(".azure-pipelines")}
# What trains a pipeline; the others evaluate and release.
TRAINING = "train-model.yml"
_PIPELINE = re.compile(r"\biris\b")
_EXPERIMENT = re.compile(r"\banswers\b")
_ENDPOINT = re.compile(r"\bsupport-chat\b")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@lone(
    "add",
    example="""opsloop ci add github-actions --experiment answers --endpoint support-chat
    opsloop ci add azure-pipelines --experiment answers --endpoint support-chat
    opsloop ci add github-actions --pipeline iris""",
)
@click.argument("system", type=click.Choice(sorted(PLACES)))
@click.option("--experiment", metavar="NAME", help="The experiment that the pipelines run.")
@click.option("--endpoint", metavar="NAME", help="The endpoint that they release to.")
@click.option("--pipeline", metavar="NAME", help="A pipeline of opsloop.yaml to train every night.")
def add(session: Session, system: str, experiment: str | None, endpoint: str | None, pipeline: str | None) -> None:
    """Write the pipelines for pull requests, for main and for what is served into this project.

    With --pipeline the one that trains a model, which needs no experiment.

    They go to .github/workflows or .azure-pipelines; a file that is there already is left alone, with exit code 5.
    """
    from opsloop.core.errors import Conflict, InvalidInput

    if (experiment is None) != (endpoint is None) or (experiment is None and pipeline is None):
        missing = "--endpoint" if endpoint is None and experiment is not None else "--experiment"
        raise click.UsageError(f"Missing option {missing!r}: --experiment and --endpoint, or --pipeline")
    for field, name in (("--experiment", experiment), ("--endpoint", endpoint), ("--pipeline", pipeline)):
        if name is not None and not _NAME.fullmatch(name):
            raise InvalidInput(field=field, value=name, wanted="a name of letters, digits, '.', '_' or '-'")
    folder = session.project.folder / PLACES[system]
    found = _wanted(_recipes(system), experiment, endpoint, pipeline)
    if not found:
        raise InvalidInput(field="--pipeline", value=pipeline, wanted="github-actions, which has a recipe for it")
    wanted = {folder / name: text for name, text in found.items()}
    there = [str(file) for file in wanted if file.exists()]
    if there:
        raise Conflict(f"{', '.join(there)} is there already; take it away first, or bring in by hand what you want")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in wanted.items():
        file.write_text(text, encoding="utf-8")
    names = [str(file.relative_to(session.project.folder)) for file in wanted]
    session.answer({"system": system, "files": names}, "\n".join(f"wrote {name}" for name in names))


def _wanted(
    recipes: dict[str, str], experiment: str | None, endpoint: str | None, pipeline: str | None
) -> dict[str, str]:
    """The recipes for what is there, with its names."""
    found = {}
    for name, text in recipes.items():
        if name == TRAINING:
            if pipeline is not None:
                found[name] = _PIPELINE.sub(pipeline, text)
        elif experiment is not None and endpoint is not None:
            found[name] = _ENDPOINT.sub(endpoint, _EXPERIMENT.sub(experiment, text))
    return found


def _recipes(system: str) -> dict[str, str]:
    """The files of a system by name: those of the wheel, or of the checkout this runs from."""
    with as_file(files("opsloop")) as package:
        places = (package / "_deploy" / system, package.parent.parent / "deploy" / system)
    found = next(place for place in places if place.is_dir())
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(found.glob("*.yml"))}
