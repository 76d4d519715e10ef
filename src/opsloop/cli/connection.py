"""`opsloop connection`: where services are that flows use by name, and what it takes to get in."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

if TYPE_CHECKING:
    from opsloop.flows.connections.lookup import Connections
    from opsloop.flows.connections.store import ConnectionStore

FROM_STDIN = "-"


@noun("connection")
def connection() -> None:
    """Where services are that flows use by name; secrets are encrypted and never shown."""


@verb(
    connection,
    "create",
    example="""opsloop connection create --file azure_openai.yml --set api_key='${env:AZURE_OPENAI_API_KEY}'
    opsloop connection create --file openai.yml --name open_ai_connection --set api_key=- < key.txt""",
)
@click.option(
    "--file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A connection as Prompt flow has it: YAML with name, type and fields.",
)
@click.option("--name", metavar="NAME", help="Instead of the name in the file.")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Instead of the value in the file; - reads it from stdin, ${env:NAME} leaves it in the environment.",
)
def create(session: Session, file: Path, name: str | None, given: Sequence[str]) -> None:
    """Keep the connection in FILE; one of that name is replaced."""
    from opsloop.flows.connections import files

    values = _values(given)
    made = files.read_one(file, name=name, overrides={**values, **asked_for(file, values)})
    store = _store(session)
    replaced = store.get(made.name) is not None
    store.put(made)
    did = "replaced" if replaced else "created"
    session.answer(made.shown(), f"connection {made.name} ({made.kind.name}) {did} in {store.path}")


@verb(connection, "list", example="opsloop connection list")
def listed(session: Session) -> None:
    """List the connections that flows of this project find, the project's before this user's."""
    known = _known(session)
    found = [each for name in known.names() if (each := known.found(name)) is not None]
    rows = [(each.name, each.kind.name, ", ".join(each.configs), ", ".join(each.secrets)) for each in found]
    words = text.table(("name", "type", "fields", "secrets"), rows)
    empty = "no connections yet; keep one with `opsloop connection create --file FILE`"
    session.answer({"items": [each.shown() for each in found]}, words or empty)


@verb(connection, "show", example="opsloop connection show open_ai_connection")
@click.argument("name")
def show(session: Session, name: str) -> None:
    """Show a connection, without its secrets."""
    from opsloop.flows.connections.errors import ConnectionMissing
    from opsloop.flows.errors import suggestion

    known = _known(session)
    found = known.found(name)
    if found is None:
        raise ConnectionMissing(noun="connection", name=name, near=suggestion(name, known.names()))
    session.answer(found.shown(), "\n".join(f"{key}: {value}" for key, value in found.shown().items()))


@verb(connection, "delete", example="opsloop connection delete open_ai_connection")
@click.argument("name")
def delete(session: Session, name: str) -> None:
    """Forget a connection that was created; what a file says of it stays."""
    from opsloop.flows.connections.errors import ConnectionMissing
    from opsloop.flows.errors import suggestion

    known = _known(session)
    removed = [store for store in known.stores if store.remove(name)]
    if not removed:
        kept = [each for store in known.stores for each in store.names()]
        raise ConnectionMissing(noun="connection", name=name, near=suggestion(name, kept))
    session.answer({"name": name, "deleted": True}, f"connection {name} is deleted")


def asked_for(file: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What the file leaves open and nobody gave, asked of whoever sits at the terminal; what is typed is not shown."""
    from opsloop.flows.connections import files

    if not sys.stdin.isatty():
        return {}
    return {field: click.prompt(field, hide_input=True, err=True) for field in files.left_open(file, given)}


def _values(given: Sequence[str]) -> dict[str, str]:
    from opsloop.cli.flow.arguments import pairs

    found = pairs(given, "--set")
    if FROM_STDIN in found.values():
        said = sys.stdin.read().strip()
        found = {name: said if value == FROM_STDIN else value for name, value in found.items()}
    return found


def _known(session: Session) -> Connections:
    from opsloop.client.local import core_settings
    from opsloop.core.settings import read
    from opsloop.flows.connections import lookup

    project = session.project
    settings = read(lookup.ConnectionSettings, project.settings)
    return lookup.of(core_settings(project).data_dir, settings)


def _store(session: Session) -> ConnectionStore:
    """The project's in a project's folder, else this user's."""
    from opsloop.client.project import FILE

    of_project, of_user = _known(session).stores
    return of_project if (session.project.folder / FILE).is_file() else of_user
