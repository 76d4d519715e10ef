"""`pf connection …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsloop.cli import text
from opsloop.cli.connection import asked_for
from opsloop.cli.pf.arguments import PfParser, pairs
from opsloop.cli.pf.flow import shown
from opsloop.cli.session import Session

if TYPE_CHECKING:
    from opsloop.flows.connections.models import Connection

SCRUBBED = "******"


def create(session: Session, words: list[str]) -> None:
    parser = PfParser("connection create")
    parser.add_argument("-f", "--file", required=True)
    parser.add_argument("-n", "--name")
    parser.several("--set", help="field=value")
    given = parser.read(words)
    from opsloop.flows.connections import files, lookup

    said = {key: _secret(value) for key, value in pairs(given.set, "--set").items()}
    file = Path(given.file)
    if _is_env(file):
        made = files.read_env(file, given.name)
    else:
        made = files.read_one(file, name=given.name, overrides={**said, **asked_for(file, said)})
    lookup.store_here().put(made)
    _answer(session, made)


def update(session: Session, words: list[str]) -> None:
    parser = PfParser("connection update")
    parser.add_argument("-n", "--name", required=True)
    parser.several("--set", help="field=value")
    given = parser.read(words)
    from opsloop.flows.connections import files, lookup

    known = lookup.here()
    store = next((each for each in known.stores if each.get(given.name) is not None), None)
    kept = store.get(given.name) if store is not None else None
    if store is None or kept is None:
        known.refuse(given.name)
    said = {key: _secret(value) for key, value in pairs(given.set, "--set").items()}
    made = files.changed(kept, said)
    store.put(made)
    _answer(session, made)


def listed(session: Session, words: list[str]) -> None:
    parser = PfParser("connection list")
    parser.add_argument("-r", "--max-results", type=int, default=50)
    parser.add_argument("--all-results", action="store_true")
    parser.add_argument("-o", "--output", default="json")
    given = parser.read(words)
    from opsloop.flows.connections import lookup

    known = lookup.here()
    found = [each for name in known.names() if (each := known.found(name)) is not None]
    documents = [_document(each) for each in found[: None if given.all_results else given.max_results]]
    table = text.table(("name", "type"), [(each["name"], each["type"]) for each in documents])
    session.answer(documents, table if given.output == "table" else shown(documents))


def show(session: Session, words: list[str]) -> None:
    parser = PfParser("connection show")
    parser.add_argument("-n", "--name", required=True)
    given = parser.read(words)
    from opsloop.flows.connections import lookup

    known = lookup.here()
    found = known.found(given.name)
    if found is None:
        known.refuse(given.name)
    _answer(session, found)


def delete(session: Session, words: list[str]) -> None:
    parser = PfParser("connection delete")
    parser.add_argument("-n", "--name", required=True)
    given = parser.read(words)
    from opsloop.flows.compat.connection_operations import ConnectionOperations

    ConnectionOperations().delete(given.name)
    session.answer({"name": given.name, "deleted": True}, f"connection {given.name} is deleted")


def _is_env(file: Path) -> bool:
    return file.suffix == ".env" or file.name.startswith(".env")


def _secret(value: str) -> str:
    return sys.stdin.read().strip() if value == "-" else value


def _document(connection: Connection) -> dict[str, Any]:
    hidden = dict.fromkeys(connection.secrets, SCRUBBED)
    about = {
        "name": connection.name,
        "module": connection.module or "promptflow.connections",
        "type": connection.kind.name,
        **({"custom_type": connection.custom_type} if connection.custom_type is not None else {}),
    }
    if connection.kind.takes_any:
        return {**about, "configs": dict(connection.configs), "secrets": hidden}
    return {**about, **connection.configs, **hidden}


def _answer(session: Session, connection: Connection) -> None:
    document = _document(connection)
    session.answer(document, shown(document))
