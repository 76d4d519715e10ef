"""`opsloop init`: a new project from a template that comes with Opsloop."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

IGNORED = shutil.ignore_patterns("__pycache__", ".opsloop", "*.pyc")


@lone(
    "init",
    example="""opsloop init my-chatbot --template support-chatbot
    opsloop init --list""",
)
@click.argument("folder_wanted", metavar="DIR", required=False, type=click.Path(path_type=Path))
@click.option("--template", default="support-chatbot", show_default=True, metavar="NAME", help="What to start from.")
@click.option("--list", "listing", is_flag=True, help="List the templates.")
def init(session: Session, folder_wanted: Path | None, template: str, listing: bool) -> None:
    """Make a new project from a template, in DIR."""
    from opsloop.core.errors import Conflict, NotFound

    known = _templates()
    if listing:
        session.answer({"items": sorted(known)}, "\n".join(sorted(known)))
        return
    if folder_wanted is None:
        raise click.UsageError("DIR is missing: the folder of the new project")
    if template not in known:
        raise NotFound(f"no template named {template!r}; there is {', '.join(sorted(known))}")
    if folder_wanted.exists() and (not folder_wanted.is_dir() or any(folder_wanted.iterdir())):
        raise Conflict(f"{folder_wanted} exists and is not an empty folder; choose another DIR")
    shutil.copytree(known[template], folder_wanted, ignore=IGNORED, dirs_exist_ok=True)
    (folder_wanted / ".gitignore").write_text("# what the platform keeps on this machine\n.opsloop/\n")
    made = {"folder": str(folder_wanted.resolve()), "template": template}
    session.answer(made, f"made {folder_wanted} from {template}; next: cd {folder_wanted} && opsloop up")


def _templates() -> dict[str, Path]:
    """Templates by name: those of the wheel, or of the checkout this runs from."""
    with as_file(files("opsloop")) as package:
        places = (package / "_examples", package.parent.parent / "examples")
    found = next((place for place in places if place.is_dir()), None)
    return {each.parent.name: each.parent for each in found.glob("*/opsloop.yaml")} if found is not None else {}
