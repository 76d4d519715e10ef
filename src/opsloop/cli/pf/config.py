"""`pf config …` and `pf tool list`: what of them has a meaning here."""

from __future__ import annotations

from pathlib import Path

from opsloop.cli.pf.arguments import PfParser, pairs
from opsloop.cli.pf.flow import shown
from opsloop.cli.session import Session


def set_values(session: Session, words: list[str]) -> None:
    values = pairs([word for word in words if not word.startswith("-")], "config set")
    for key in values:
        session.note(f"{key} means nothing here: connections are looked up in the project, then with this user")
    session.answer({}, "{}")


def show(session: Session, words: list[str]) -> None:
    PfParser("config show").read(words)
    from opsloop.flows.connections import lookup
    from opsloop.flows.places import runs_place

    known = lookup.here()
    found = {
        "connection.provider": "local",
        "connections": [str(each) for each in (*known.files, *(store.path for store in known.stores))],
        "runs": str(runs_place(lookup.home())),
    }
    session.answer(found, shown(found))


def tools(session: Session, words: list[str]) -> None:
    parser = PfParser("tool list")
    parser.add_argument("--flow")
    given = parser.read(words)
    from opsloop.flows.formats import flow_file
    from opsloop.flows.nodes.package_tools import announced

    found: dict[str, object] = {"package": dict(announced())}
    if given.flow:
        flow = flow_file.read(Path(given.flow))
        found["code"] = {each.source.path: {"type": each.type} for each in flow.nodes if each.source.path is not None}
    session.answer(found, shown(found))
