"""`opsloop init`: a new project from a template that comes with Opsloop.

A template is a folder of `examples/` with an `opsloop.yaml`; its `description` is what the list says of it. There is no
other list: adding a folder adds a template. A name that says what kind of project one wants may stand for a template.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

# The section and the comment right above it, up to the next key at the margin or the end.
_DEMO = re.compile(r"(?:^#[^\n]*\n)*^demo:\n(?:[ \t-][^\n]*\n|\n)*", re.MULTILINE)
ALSO = {"tabular-model": "iris"}
IGNORED = shutil.ignore_patterns("__pycache__", ".opsloop", "*.pyc")


@lone(
    "init",
    example="""opsloop init
    opsloop init my-chatbot --template support-chatbot""",
    on_project=False,
)
@click.argument("target", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--template", metavar="NAME", help="What to start from.")
@click.option("--list", "listing", is_flag=True, help="List the templates.")
def init(session: Session, target: Path | None, template: str | None, listing: bool) -> None:
    """Make a new project from a template, in DIR; without arguments list the templates."""
    from opsloop.core.errors import Conflict, NotFound

    known = _templates()
    if listing or (target is None and template is None):
        described = {name: _description(known[name]) for name in sorted(known)}
        items = [{"name": name, "description": says} for name, says in described.items()]
        session.answer({"items": items}, lambda: text.table(("template", "gives"), list(described.items())))
        return
    if target is None:
        raise click.UsageError("DIR is missing: the folder of the new project")
    if template is None:
        raise click.UsageError(f"--template is missing: {_choice(known)}")
    template = ALSO.get(template, template)
    if template not in known:
        raise NotFound(f"no template named {template!r}; {_choice(known)}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{target} exists and is not an empty folder; choose another DIR")
    shutil.copytree(known[template], target, ignore=IGNORED, dirs_exist_ok=True)
    leave_out_demo(target)
    (target / ".gitignore").write_text("# what the platform keeps on this machine\n.opsloop/\n")
    made = {"folder": str(target.resolve()), "template": template}
    session.answer(made, f"made {target} from {template}; next: cd {target} && opsloop up")


def leave_out_demo(project: Path) -> None:
    """Take out the demo of a template, and the flows that only it needs: a project of one's own shows no stranger's."""
    from opsloop.cli.demo import wanted
    from opsloop.client.project import FILE, load

    demo = wanted.read(load(project))
    if demo is None:
        return
    for change in demo.changes:
        shutil.rmtree(change.flow)
    text = (project / FILE).read_text()
    (project / FILE).write_text(_DEMO.sub("", text).rstrip() + "\n")


def _choice(known: Iterable[str]) -> str:
    return f"there is {', '.join(sorted(known))}; `opsloop init` says what each gives"


def _description(template: Path) -> str:
    from opsloop.client.project import load  # brings the YAML parser

    return load(template).description


def _templates() -> dict[str, Path]:
    """Templates by name: those of the wheel, or of the checkout this runs from."""
    with as_file(files("opsloop")) as package:
        places = (package / "_examples", package.parent.parent / "examples")
    found = next((place for place in places if place.is_dir()), None)
    return {each.parent.name: each.parent for each in found.glob("*/opsloop.yaml")} if found is not None else {}
