"""`pf run list`, `show` and what else looks at runs that there are."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from opsloop.cli import text
from opsloop.cli.pf.arguments import PfParser, pairs
from opsloop.cli.pf.flow import shown
from opsloop.cli.pf.grid import grid
from opsloop.cli.session import Session


def listed(session: Session, words: list[str]) -> None:
    parser = PfParser("run list")
    parser.add_argument("-r", "--max-results", type=int, default=50)
    parser.add_argument("--all-results", action="store_true")
    parser.add_argument("--archived-only", action="store_true")
    parser.add_argument("--include-archived", action="store_true")
    parser.add_argument("-o", "--output", default="json")
    given = parser.read(words)
    found = _runs().list(
        None if given.all_results else given.max_results,
        archived_only=given.archived_only,
        include_archived=given.include_archived,
    )
    documents = [run._to_dict() for run in found]
    columns = ("name", "created_on", "status", "display_name", "flow_name")
    table = text.table(columns, [[each[column] for column in columns] for each in documents])
    session.answer(documents, (table or "no runs yet") if given.output == "table" else shown(documents))


def show(session: Session, words: list[str]) -> None:
    _answer(session, _runs().get(_named("show", words).name))


def show_details(session: Session, words: list[str]) -> None:
    parser = _named_parser("show-details")
    parser.add_argument("-r", "--max-results", type=int, default=100)
    parser.add_argument("--all-results", action="store_true")
    given = parser.read(words)
    found = _runs().rows(given.name)
    rows = found if given.all_results else found[: given.max_results]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    session.answer(rows, lambda: grid(columns, [[row.get(name) for name in columns] for row in rows]))


def show_metrics(session: Session, words: list[str]) -> None:
    found = _runs().get_metrics(_named("show-metrics", words).name)
    session.answer(found, shown(found))


def stream(session: Session, words: list[str]) -> None:
    from opsloop.flows.compat.run_operations import summary

    run = _runs().get(_named("stream", words).name)
    assert run.kept is not None
    session.answer(run._to_dict(), summary(run.kept))


def visualize(session: Session, words: list[str]) -> None:
    from opsloop.flows.compat.run_operations import where

    parser = PfParser("run visualize")
    parser.add_argument("-n", "--names", "--name", required=True)
    parser.add_argument("--html-path")
    given = parser.read(words)
    kept = [run.kept for name in given.names.split(",") if (run := _runs().get(name.strip())).kept is not None]
    lines = [where(each) for each in kept if each is not None]
    see = "`pf run show-details --name NAME` shows the rows"
    session.answer({"outputs": lines}, "\n".join([*lines, see]))


def update(session: Session, words: list[str]) -> None:
    parser = _named_parser("update")
    parser.several("--set", help="display_name=…, description=…, tags.key=…")
    given = parser.read(words)
    runs = _runs()
    tags = dict(runs.get(given.name).tags)
    changes: dict[str, Any] = {}
    for key, value in pairs(given.set, "--set").items():
        name, _, inner = key.partition(".")
        if name == "tags" and inner:
            changes["tags"] = tags = {**tags, inner: value}
        else:
            changes[key] = value
    _answer(session, runs.update(given.name, **changes))


def archive(session: Session, words: list[str]) -> None:
    _answer(session, _runs().archive(_named("archive", words).name))


def restore(session: Session, words: list[str]) -> None:
    _answer(session, _runs().restore(_named("restore", words).name))


def delete(session: Session, words: list[str]) -> None:
    name = _named("delete", words).name
    _runs().delete(name)
    session.answer({"name": name, "deleted": True}, f"run {name} is deleted")


def _runs() -> Any:
    from opsloop.flows.compat.run_operations import RunOperations

    return RunOperations()


def _named_parser(verb: str) -> PfParser:
    parser = PfParser(f"run {verb}")
    parser.add_argument("-n", "--name", required=True)
    return parser


def _named(verb: str, words: list[str]) -> Namespace:
    return _named_parser(verb).read(words)


def _answer(session: Session, run: Any) -> None:
    document = run._to_dict()
    session.answer(document, shown(document))
