"""Whether golden rows stand in the prompts and examples of the flow that is measured by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opsloop.core.caller import Caller
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import contamination
from opsloop.datasets import service as datasets
from opsloop.datasets.passages import texts_of
from opsloop.evaluation import service
from opsloop.evaluation.models import Run
from opsloop.evaluation.subjects import is_model
from opsloop.flows import service as flows

GOLDEN = "golden"
# Datasets tagged golden are small; a larger one is looked at only when somebody asks.
ROWS_LIMIT = 20_000
SHOWN = 3


def note(workspace: Workspace, run_ids: Iterable[str], by: Caller) -> None:
    """Warn, in runs that begin, of golden rows that stand in the flow's files; noting it twice changes nothing."""
    for run_id in run_ids:
        with workspace.reading(by) as uow:
            run = service.get(uow, run_id)
            found = [each for each in warnings(uow, run) if each not in run.warnings]
        if found:
            with workspace.writing(by) as uow:
                row = service.row_of(uow, run_id)
                row.warnings = [*(row.warnings or ()), *found]


def warnings(uow: UnitOfWork, run: Run) -> Iterator[str]:
    """What to know of each golden dataset of a run."""
    if is_model(run.flow):  # it has no prompts
        return
    for used in run.datasets:
        version = datasets.get(uow, used.ref)
        if GOLDEN not in version.tags:
            continue
        if version.rows > ROWS_LIMIT:
            yield f"{version.ref} was not looked for in the flow's files: it has over {ROWS_LIMIT:,} rows"
            continue
        texts = texts_of(flows.materialise(uow.workspace, run.flow_digest), named=run.flow)
        report = contamination.check(version.ref, datasets.rows(uow, version), {}, texts)
        if report.rows:
            first = "; ".join(map(str, report.found[:SHOWN])) + ("; …" if len(report.found) > SHOWN else "")
            yield (
                f"{report.rows:,} of {report.judged:,} rows of {version.ref} stand in the flow's own files ({first}): "
                "what they measure may be memory"
            )
