"""`opsloop ci add`: the pipelines that come with Opsloop, put where the CI system looks for them."""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from pathlib import Path

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

PLACES = {"github-actions": Path(".github") / "workflows", "azure-pipelines": Path(".azure-pipelines")}
_EXPERIMENT = re.compile(r"\banswers\b")
_ENDPOINT = re.compile(r"\bsupport-chat\b")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@lone(
    "add",
    example="""opsloop ci add github-actions --experiment answers --endpoint support-chat
    opsloop ci add azure-pipelines --experiment answers --endpoint support-chat""",
)
@click.argument("system", type=click.Choice(sorted(PLACES)))
@click.option("--experiment", required=True, metavar="NAME", help="The experiment that the pipelines run.")
@click.option("--endpoint", required=True, metavar="NAME", help="The endpoint that they release to.")
def add(session: Session, system: str, experiment: str, endpoint: str) -> None:
    """Write the pipelines for pull requests, for main and for what is served into this project.

    They go to .github/workflows or .azure-pipelines; a file that is there already is left alone, with exit code 5.
    """
    from opsloop.core.errors import Conflict, InvalidInput

    for field, name in (("--experiment", experiment), ("--endpoint", endpoint)):
        if not _NAME.fullmatch(name):
            raise InvalidInput(field=field, value=name, wanted="a name of letters, digits, '.', '_' or '-'")
    folder = session.project.folder / PLACES[system]
    wanted = {folder / name: _named(text, experiment, endpoint) for name, text in _recipes(system).items()}
    there = [str(file) for file in wanted if file.exists()]
    if there:
        raise Conflict(f"{', '.join(there)} is there already; take it away first, or bring in by hand what you want")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in wanted.items():
        file.write_text(text, encoding="utf-8")
    names = [str(file.relative_to(session.project.folder)) for file in wanted]
    session.answer({"system": system, "files": names}, "\n".join(f"wrote {name}" for name in names))


def _named(text: str, experiment: str, endpoint: str) -> str:
    return _ENDPOINT.sub(endpoint, _EXPERIMENT.sub(experiment, text))


def _recipes(system: str) -> dict[str, str]:
    """The files of a system by name: those of the wheel, or of the checkout this runs from."""
    with as_file(files("opsloop")) as package:
        places = (package / "_deploy" / system, package.parent.parent / "deploy" / system)
    found = next(place for place in places if place.is_dir())
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(found.glob("*.yml"))}
