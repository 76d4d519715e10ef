"""`client.runs`: batch runs, made, listed and looked into as scripts of Prompt flow do."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from opsloop.core.clock import SystemClock
from opsloop.core.errors import Conflict
from opsloop.flows import batch_runs, places
from opsloop.flows.batch_run_folder import BatchRun, RunStatus, results_of
from opsloop.flows.batch_runs import Manner
from opsloop.flows.compat.details import as_table
from opsloop.flows.compat.run_entity import Run
from opsloop.flows.connections import lookup
from opsloop.flows.entries import entered
from opsloop.flows.formats import flow_file
from opsloop.flows.models import FlowFormat
from opsloop.flows.row_result import RowResult
from opsloop.flows.run_file import RunWanted

MAX_ROWS = 100
MAX_RUNS = 50


class RunNotCompleted(Conflict):
    template = "batch run {name!r} is {status}: {why}; `pf.runs.get({name!r})` has what is there"


class RunOperations:
    """Batch runs by their names, or as the `Run` they are."""

    def __init__(self, manner: Manner | None = None) -> None:
        self._manner = manner or Manner(at_home=True)

    @property
    def place(self) -> Path:
        return places.runs_place(lookup.home())

    def create_or_update(self, run: Run, **_: Any) -> Run:
        """Run what is declared. Raises: as `PFClient.run`."""
        found = entered(run.flow, run.code)
        manner = self._manner if found.target is None else _with_target(self._manner, found.target)
        wanted, place = run.wanted(), self.place
        if wanted.name is None:
            wanted = replace(wanted, name=default_name(wanted, (manner.clock or SystemClock()).now()))
        done = batch_runs.create(place, wanted, manner)
        if (reason := _unmapped(done.result.rows)) is None:
            return Run.of_kept(done.run)
        return Run.of_kept(batch_runs.changed(place, done.run.name, status=RunStatus.FAILED, error=reason))

    def resume(self, name: str, *, new_name: str | None = None, **said: Any) -> Run:
        """Go on with a run: its completed rows are taken as they are, the others are run.

        Args:
            new_name: what goes on under this name, while the run stays as it is; `said` is said about it.
        """
        place = self.place
        if new_name is not None:
            said = {key: value for key, value in said.items() if value}
            name = batch_runs.copied(place, name, new_name, self._manner.clock, **said).name
        return Run.of_kept(batch_runs.resume(place, name, replace(self._manner, retry_failed=True)).run)

    def get(self, name: str | Run) -> Run:
        """Raises: RunMissing."""
        return Run.of_kept(self._kept(name))

    def list(
        self,
        max_results: int | None = MAX_RUNS,
        *,
        archived_only: bool = False,
        include_archived: bool = False,
        **_: Any,
    ) -> list[Run]:
        """The newest first."""
        found = [run for run in batch_runs.listed(self.place) if include_archived or run.is_archived == archived_only]
        return [Run.of_kept(run) for run in found[:max_results]]

    def get_details(self, name: str | Run, max_results: int = MAX_ROWS, all_results: bool = False) -> Any:
        """The rows of a run: pandas' table where it is installed."""
        return as_table(self.rows(name)[: None if all_results else max_results])

    def rows(self, name: str | Run) -> Any:
        """The rows as Prompt flow's tables have them: `inputs.NAME`, `inputs.line_number`, `outputs.NAME`."""
        number = "inputs.line_number"
        return [
            {
                **{key: value for key, value in row.items() if key.startswith("inputs.") and key != number},
                number: row[number],
                **{key: value for key, value in row.items() if key.startswith("outputs.")},
            }
            for row in batch_runs.details(self.place, name_of(name))
        ]

    def get_metrics(self, name: str | Run) -> dict[str, Any]:
        return dict(self._kept(name).metrics)

    def stream(self, name: str | Run, raise_on_error: bool = True) -> Run:
        """Print how a run went. Raises: RunNotCompleted."""
        kept = self._kept(name)
        sys.stdout.write(f"{summary(kept)}\n")
        sys.stdout.flush()
        if raise_on_error and kept.status is not RunStatus.COMPLETED:
            raise RunNotCompleted(name=kept.name, status=kept.status.value, why=kept.error or "it broke off")
        return Run.of_kept(kept)

    def visualize(self, runs: Any, **_: Any) -> None:
        """Say where the runs are."""
        for name in [runs] if isinstance(runs, str | Run) else list(runs):
            sys.stdout.write(f"{where(self._kept(name))}\n")

    def archive(self, name: str | Run) -> Run:
        """Leave a run out of lists."""
        return Run.of_kept(batch_runs.changed(self.place, name_of(name), is_archived=True))

    def restore(self, name: str | Run) -> Run:
        return Run.of_kept(batch_runs.changed(self.place, name_of(name), is_archived=False))

    def update(
        self,
        name: str | Run,
        display_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        **_: Any,
    ) -> Run:
        said = {"display_name": display_name, "description": description, "tags": tags}
        changes = {key: value for key, value in said.items() if value is not None}
        return Run.of_kept(batch_runs.changed(self.place, name_of(name), **changes))

    def delete(self, name: str | Run) -> None:
        """Forget a run and all it gave."""
        batch_runs.remove(self.place, name_of(name))

    def _kept(self, name: str | Run) -> BatchRun:
        return batch_runs.get(self.place, name_of(name))


def name_of(run: str | Run) -> str:
    return str(run.name if isinstance(run, Run) else run)


def default_name(wanted: RunWanted, now: datetime) -> str:
    """`FOLDER_VARIANT_TIME`, as Prompt flow names runs: scripts look for the first of it."""
    flow = flow_file.read(wanted.flow)
    variant = next(iter(wanted.variants.values()), "variant_0") if flow.format is FlowFormat.DAG else ""
    name = "_".join(part for part in (flow.folder.name, variant, f"{now:%Y%m%d_%H%M%S_%f}") if part)
    return re.sub(r"[^A-Za-z0-9_]", "_", name).lstrip("_")[-200:]


def _unmapped(rows: Sequence[RowResult]) -> str | None:
    """The sentence when the mapping fits no row at all: as in Prompt flow it is then the run that failed."""
    if rows and all(row.error is not None and row.error.startswith("column mapping") for row in rows):
        return rows[0].error
    return None


def summary(run: BatchRun) -> str:
    """What `stream` prints at its end."""
    took = f'"{run.ended_at - run.created_at}"' if run.ended_at is not None else '"unknown"'
    lines = [
        "======= Run Summary =======",
        "",
        f'Run name: "{run.name}"',
        f'Run status: "{Run.of_kept(run).status}"',
        f'Start time: "{run.created_at}"',
        f"Duration: {took}",
        f'Output path: "{run.folder}"',
        f"Rows: {run.completed_rows} completed, {run.failed_rows} failed of {run.rows}",
    ]
    return "\n".join([*lines, *_notes(run)])


def where(run: BatchRun) -> str:
    return f"{run.name}: {run.outputs_file}"


def _notes(run: BatchRun) -> Iterable[str]:
    yield from run.warnings
    if run.error:
        yield run.error if run.status is not RunStatus.COMPLETED else f"the aggregation failed: {run.error}"
    elif run.failed_rows:
        first = next(row for row in results_of(run) if not row.is_completed)
        yield f"The first that failed is row {first.index}: {first.error}"


def _with_target(manner: Manner, target: Any) -> Manner:
    return replace(manner, target=target)
