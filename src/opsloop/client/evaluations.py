"""Evaluations: a flow over a dataset, measured, and the gate's verdict on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.client.waiting import last, looks
from opsloop.core.errors import StillPending
from opsloop.evaluation.comparison.models import Comparison, RowChange
from opsloop.evaluation.models import GateReport, RowRecord, Run
from opsloop.evaluation.plans import GatePlan

AT = "/api/evaluations"
POLL_S = 0.3
PAGE = 500


class RunGoesOn(StillPending):
    template = "evaluation {run} goes on ({done} of {total} rows); look again with `opsloop eval show {run}`"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs compared, and the rows that changed, worse first."""

    comparison: Comparison
    rows: tuple[RowChange, ...]
    next: int | None


class Evaluations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(self, experiment: dict[str, Any], *, flow: str) -> Run:
        """Start a run of an experiment over a flow version such as `answer@2`."""
        return self._connection.post(AT, Run, body={"experiment": experiment, "flow": flow})

    def get(self, run: str) -> Run:
        return self._connection.get(path("api", "evaluations", run), Run)

    def listed(self, *, flow: str | None = None, experiment: str | None = None, study: str | None = None) -> list[Run]:
        """The newest first; `flow` is a flow's name, or a version such as `answer@2`."""
        return self._connection.items(AT, Run, flow=flow, experiment=experiment, study=study)

    def study_of(self, run: Run) -> list[Run]:
        """The runs that one experiment made with it, in the order of their variants; itself when it stands alone."""
        return [run] if run.study is None else self.listed(study=run.study)[::-1]

    def rows(self, run: str, *, failed: bool = False) -> list[RowRecord]:
        """What became of each row; with `failed` only those on which the flow or a measure failed."""
        at = path("api", "evaluations", run, "rows")
        return self._connection.all_items(at, RowRecord, cursor="offset", limit=PAGE, failed=failed)

    def report(self, run: str, *, form: str, baseline: str | None = None) -> bytes:
        """The run as a document, such as `html` or `json`, beside `baseline` or the run its gate was checked with."""
        return self._connection.raw(path("api", "evaluations", run, "report"), format=form, baseline=baseline)

    def compare(
        self, base: str, head: str, *, by: str | None = None, rows: str = "different", limit: int = 20
    ) -> Compared:
        """What became of metrics, slices and rows from `base` to `head`; `by` is a column to slice by."""
        at = path("api", "evaluations", "compare")
        return self._connection.get(at, Compared, base=base, head=head, by=by, rows=rows, limit=limit)

    def gate(self, run: str, *, baseline: str | None = None) -> GateReport:
        """The verdict of a run's gate, against another run where its rules compare with one."""
        return self._connection.post(path("api", "evaluations", run, "gate"), GateReport, body={"baseline": baseline})

    def plan(self, run: str, *, baseline: str | None = None, gate: dict[str, Any] | None = None) -> GatePlan:
        """How many rows a gate needs, from the spread of a run's rows; `gate` as in experiment.yaml."""
        body = {"baseline": baseline, "gate": gate}
        return self._connection.post(path("api", "evaluations", run, "gate", "plan"), GatePlan, body=body)

    def last_gate(self, run: str) -> GateReport:
        """The report of the gate that was checked last. Raises: NotFound when it was not checked yet."""
        return self._connection.get(path("api", "evaluations", run, "gate"), GateReport)

    def wait(
        self,
        run: str,
        *,
        timeout_s: float | None = None,
        tell: Callable[[Run], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> Run:
        """The run once it is over; `tell` hears of it meanwhile. Raises: RunGoesOn when the time ended first."""

        def is_over(found: Run) -> bool:
            return found.status.is_final

        each = looks(lambda: self.get(run), is_over, timeout_s=timeout_s, every_s=POLL_S, pause=pause)
        found = last(each, tell)
        if not is_over(found):
            raise RunGoesOn(run=run, done=found.done, total=found.total)
        return found
