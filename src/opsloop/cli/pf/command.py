"""Which command of `pf` is wanted, and who does it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from difflib import get_close_matches

from opsloop._version import __version__
from opsloop.cli.pf import config, connection, flow, run_create, run_records
from opsloop.cli.pf.arguments import PfHelped, PfUsage
from opsloop.cli.session import Session

Does = Callable[[Session, list[str]], None]

COMMANDS: dict[tuple[str, str], Does] = {
    ("flow", "test"): flow.test,
    ("flow", "validate"): flow.validate,
    ("flow", "serve"): flow.serve,
    ("flow", "init"): flow.init,
    ("run", "create"): run_create.create,
    ("run", "list"): run_records.listed,
    ("run", "show"): run_records.show,
    ("run", "show-details"): run_records.show_details,
    ("run", "show-metrics"): run_records.show_metrics,
    ("run", "stream"): run_records.stream,
    ("run", "visualize"): run_records.visualize,
    ("run", "update"): run_records.update,
    ("run", "archive"): run_records.archive,
    ("run", "restore"): run_records.restore,
    ("run", "delete"): run_records.delete,
    ("connection", "create"): connection.create,
    ("connection", "update"): connection.update,
    ("connection", "list"): connection.listed,
    ("connection", "show"): connection.show,
    ("connection", "delete"): connection.delete,
    ("config", "set"): config.set_values,
    ("config", "show"): config.show,
    ("tool", "list"): config.tools,
}
# What pf has and Opsloop does in another way.
ELSEWHERE = {
    ("flow", "build"): "Opsloop builds no images of flows; `opsloop flow serve DIR` serves one, "
    "and a release of `opsloop up` serves it with gates and rollbacks",
    ("flow", "save"): "write a flow.flex.yaml with `entry: module:function` beside the function",
    ("service", "start"): "nothing has to be started; `opsloop up` is the console with flows, runs and traces",
    ("service", "stop"): "Opsloop starts no service of its own; Ctrl-C ends `opsloop up`",
    ("service", "status"): "`opsloop doctor` says whether a platform runs here",
    ("trace", "list"): "`opsloop up` shows the traces of runs in its console",
    ("trace", "delete"): "the data folder of the project holds its traces",
    ("experiment", "start"): "`opsloop eval run EXPERIMENT` runs experiments",
    ("experiment", "create"): "`opsloop eval run EXPERIMENT` runs experiments",
    ("upgrade", ""): "pip install --upgrade opsloop",
}


def run(session: Session, words: list[str]) -> None:
    """Raises: PfUsage, and what the command raises."""
    if words[:1] == ["--"]:
        words = words[1:]
    if not words or words[0] in ("-h", "--help"):
        session.answer({"commands": [" ".join(each) for each in COMMANDS]}, _help())
        return
    if words[0] in ("--version", "-v", "version"):
        session.answer({"opsloop": __version__}, f"opsloop {__version__} in the place of promptflow")
        return
    noun, verb = words[0], words[1] if len(words) > 1 and not words[1].startswith("-") else ""
    does = COMMANDS.get((noun, verb))
    if does is None:
        raise PfUsage(_unknown(noun, verb))
    with suppress(PfHelped), redirect_stdout(session.out if "--help" in words or "-h" in words else sys.stdout):
        does(session, words[2:])


def _unknown(noun: str, verb: str) -> str:
    said = f"pf {noun} {verb}".strip()
    if (instead := ELSEWHERE.get((noun, verb))) is not None:
        return f"`{said}` has no counterpart here: {instead}"
    known = [" ".join(each) for each in COMMANDS]
    near = get_close_matches(f"{noun} {verb}".strip(), known, n=1, cutoff=0.5)
    nearest = f"; did you mean `pf {near[0]}`?" if near else ""
    return f"`{said}` is not known here{nearest} Known are: {', '.join(known)}"


def _help() -> str:
    return "\n".join(["Commands of pf that Opsloop does:", *(f"  pf {noun} {verb}" for noun, verb in COMMANDS)])
