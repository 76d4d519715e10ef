"""`pf flow …`."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from opsloop.cli.pf import new_flow
from opsloop.cli.pf.arguments import PfParser, PfUsage, by_node, values, variables
from opsloop.cli.session import Session


def test(session: Session, words: list[str]) -> None:
    parser = PfParser("flow test")
    parser.add_argument("--flow", required=True)
    parser.add_argument("--node")
    parser.add_argument("--variant")
    parser.add_argument("--interactive", action="store_true")
    parser.add_argument("--ui", action="store_true")
    parser.add_argument("--port")
    parser.add_argument("-o", "--output")
    parser.several("--inputs", "--input", help="name=value, or a file")
    parser.several("--init", help="name=value, or a file")
    parser.variables()
    parser.several("--connections", help="node.connection=name")
    given = parser.read(words)
    if given.ui:
        raise PfUsage(
            "`pf flow test --ui` opens Prompt flow's page; here `opsloop flow register DIR` and `opsloop up` give "
            "the flow its page in the console, and `opsloop flow test DIR --interactive` is a chat in the terminal"
        )
    from opsloop.flows.entries import entered

    if given.interactive:
        _chat(session, entered(given.flow).path, given)
        return
    from opsloop.flows.compat.client import PFClient

    path = entered(given.flow).path
    _notice(session, path)
    found = PFClient().test(
        path,
        inputs=values(given.inputs, "--inputs"),
        variant=given.variant,
        node=given.node,
        environment_variables=variables(given.environment_variables),
        init=values(given.init, "--init") or None,
        overrides=by_node(given.connections) or None,
    )
    session.answer(found, lambda: shown(found))


def validate(session: Session, words: list[str]) -> None:
    parser = PfParser("flow validate")
    parser.add_argument("--source", "--flow", required=True)
    given = parser.read(words)
    from opsloop.flows.entries import entered

    _again("flow", "validate", str(entered(given.source).path), session=session)


def serve(session: Session, words: list[str]) -> None:
    parser = PfParser("flow serve")
    parser.add_argument("--source", "--flow", required=True)
    parser.add_argument("--port", default="8080")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--static_folder")
    parser.several("--init", help="name=value, or a file")
    parser.variables()
    given = parser.read(words)
    from opsloop.flows.entries import entered
    from opsloop.flows.environment import for_a_while

    host = "127.0.0.1" if given.host == "localhost" else given.host
    inits = [word for each in given.init for word in ("--init", each)]
    with for_a_while(variables(given.environment_variables)):
        path = str(entered(given.source).path)
        _again("flow", "serve", path, "--host", host, "--port", given.port, *inits, session=session)


def init(session: Session, words: list[str]) -> None:
    parser = PfParser("flow init")
    parser.add_argument("--flow", required=True)
    parser.add_argument("--type", default="standard", choices=list(new_flow.FLOWS))
    parser.add_argument("--entry")
    parser.add_argument("--function")
    parser.several("--prompt-template", help="name=file")
    given = parser.read(words)
    folder = Path(given.flow)
    if given.entry or given.function or given.prompt_template:
        raise PfUsage(
            "`pf flow init` makes an empty flow here; for a function of your own write a flow.flex.yaml with "
            f"`entry: {Path(given.entry or 'module').stem}:{given.function or 'function'}` beside it"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise PfUsage(f"{folder} is not empty; name a new folder with --flow", field="--flow")
    new_flow.write(folder, given.type)
    session.answer({"flow": str(folder)}, f"flow {folder} is there; `pf flow test --flow {folder}` runs it")


def shown(value: Any) -> str:
    """A value as pf prints it."""
    return value if isinstance(value, str) else json.dumps(value, indent=4, ensure_ascii=False, default=str)


def _chat(session: Session, path: Path, given: Any) -> None:
    words = [word for each in given.init for word in ("--init", each)]
    words += [word for each in given.inputs for word in ("--input", each)]
    if given.variant:
        words += ["--variant", given.variant.strip("${}").replace(".", "=", 1)]
    _again("flow", "test", str(path), "--interactive", *words, session=session)


def _notice(session: Session, path: Path) -> None:
    from opsloop.flows.connections import lookup
    from opsloop.flows.formats import flow_file
    from opsloop.flows.model_access import ModelAccess, unknown_connections

    for sentence in unknown_connections(flow_file.read(path), ModelAccess(lookup.here())):
        session.note(sentence)


def _again(*words: str, session: Session) -> None:
    """A command of Opsloop, with the answer of this one as its own."""
    from opsloop.cli.main import opsloop
    from opsloop.client.project import FILE

    folder = session.project.folder
    more = ["--json"] if session.as_json else []
    more += ["--project", str(folder)] if (folder / FILE).is_file() else []
    with redirect_stdout(session.out):
        opsloop.main([*words, *more], prog_name="opsloop", standalone_mode=False)
