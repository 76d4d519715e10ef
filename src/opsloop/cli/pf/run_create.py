"""`pf run create`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opsloop.cli.pf.arguments import PfParser, PfUsage, by_node, pairs, values, variables
from opsloop.cli.pf.flow import shown
from opsloop.cli.session import Session

if TYPE_CHECKING:
    from opsloop.cli.progress import Progress
    from opsloop.flows.batch import Progress as At
    from opsloop.flows.batch_run_folder import BatchRun
    from opsloop.flows.batch_runs import Manner
    from opsloop.flows.compat.run_entity import Run
    from opsloop.flows.compat.run_operations import RunOperations


def create(session: Session, words: list[str]) -> None:
    given = _read(words)
    from opsloop.core.errors import Failed
    from opsloop.flows.compat.run_operations import RunOperations, summary

    with session.progress("running") as bar:
        runs = RunOperations(_manner(session, bar))
        done = _resumed(runs, given) if given.resume_from else runs.create_or_update(_wanted(given))
    kept = done.kept
    assert kept is not None
    if given.stream:
        session.note(summary(kept))
    elif kept.failed_rows:
        session.note(
            f"{kept.failed_rows} of {kept.rows} rows failed; `pf run show-details --name {kept.name}` has them"
        )
    document = done._to_dict()
    session.answer(document, lambda: shown(document))
    if done.status != "Completed":
        raise Failed(f"run {kept.name} is {done.status}: {kept.error or 'it broke off'}")


def _resumed(runs: RunOperations, given: Namespace) -> Run:
    """Under another name when there is one; what `--set` says is then said about that."""
    said: dict[str, Any] = {"tags": {}}
    for key, value in pairs(given.set, "--set").items():
        name, _, inner = key.partition(".")
        if given.name is None or name not in ("display_name", "description", "tags"):
            known = "display_name, description and tags.KEY of a run with another --name"
            raise PfUsage(f"`pf run create --resume-from`: --set knows {known}, not {key}")
        said |= {"tags": {**said["tags"], inner: value}} if inner else {name: value}
    return runs.resume(given.resume_from, new_name=given.name, **said)


def _read(words: list[str]) -> Namespace:
    parser = PfParser("run create")
    parser.add_argument("-f", "--file")
    parser.add_argument("--flow")
    parser.add_argument("--data")
    parser.add_argument("--run")
    parser.add_argument("--variant", "-v")
    parser.add_argument("-n", "--name")
    parser.add_argument("--resume-from")
    parser.add_argument("-s", "--stream", action="store_true")
    parser.several("--column-mapping", help="input=${data.column}")
    parser.several("--connections", help="node.connection=name")
    parser.variables()
    parser.several("--init", help="name=value, or a file")
    parser.several("--set", help="display_name=…, tags.key=…")
    given = parser.read(words)
    if not (given.file or given.flow or given.resume_from):
        raise PfUsage("`pf run create`: name a flow with --flow, a run file with --file, or a run with --resume-from")
    return given


def _wanted(given: Namespace) -> Run:
    """The run that the arguments declare; they come before the run file."""
    from opsloop.flows.compat.run_entity import Run, load_run, override

    run = load_run(given.file) if given.file else Run(given.flow)
    said: Mapping[str, object] = {
        "flow": given.flow,
        "data": given.data,
        "run": given.run,
        "variant": given.variant,
        "name": given.name,
        "column_mapping": pairs(given.column_mapping, "--column-mapping"),
        "connections": by_node(given.connections),
        "environment_variables": variables(given.environment_variables),
        "init": values(given.init, "--init"),
    }
    for key, value in said.items():
        if value:
            override(run, key, value)
    for key, value in pairs(given.set, "--set").items():
        override(run, key, value)
    return run


def _manner(session: Session, bar: Progress) -> Manner:
    from opsloop.flows.batch_runs import Manner

    def started(run: BatchRun) -> None:
        for warning in run.warnings:
            session.note(warning)

    def progress(at: At) -> None:
        bar(at.done, at.total, f"{at.failed} failed" if at.failed else "")

    return Manner(at_home=True, started=started, progress=progress)
