"""Evaluation flows as evaluators: which rows they read, what feeds them, what they say of a row and of all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.evaluation.graded import Graded, leaves_of
from opsloop.evaluation.loading import Opened
from opsloop.evaluation.models import ExperimentEvaluator
from opsloop.flows.batch import LINE_NUMBER
from opsloop.flows.batch_row import Row
from opsloop.flows.errors import FlowRunError
from opsloop.flows.open_batch import OpenBatch
from opsloop.flows.results import NO_TOKENS, TokenUse
from opsloop.flows.row_result import RowResult


@dataclass(frozen=True, slots=True)
class Grader:
    """An evaluation flow for the rows of one dataset.

    Args:
        mapping: what feeds its inputs.
        joined: rows of the dataset that its `${data.…}` reads, by the number of the row they stand beside; None when
            it reads the rows of the evaluated dataset themselves.
        beside: what that dataset is called.
    """

    use: ExperimentEvaluator
    opened: Opened
    mapping: Mapping[str, Any]
    joined: Mapping[int, Mapping[str, Any]] | None = None
    beside: str = ""

    def batch(self, journal: Path | None) -> OpenBatch:
        return OpenBatch(self.opened.flow, self.mapping, made_with=self.opened.made_with, journal=journal)


def by_number(rows: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """Rows by the number of the row they stand beside: what they say themselves, else their place."""
    return {_number(row, place): row for place, row in enumerate(rows)}


class Grades:
    """What one evaluation flow said of the rows of one dataset so far."""

    def __init__(self, grader: Grader, batch: OpenBatch) -> None:
        self.grader = grader
        self.batch = batch
        self.by_index: dict[int, Graded] = {}
        self._only = next(iter(grader.opened.flow.flow.outputs), None)
        if len(grader.opened.flow.flow.outputs) != 1:
            self._only = None

    async def grade(self, row: int, data: Mapping[str, Any], result: RowResult) -> TokenUse:
        """Have a row graded, whose number in its dataset is `row`; what that used. Raises: LinesUnwritable."""
        joined = self.grader.joined
        if joined is not None and row not in joined:
            self.by_index[result.index] = Graded(reason=f"dataset {self.grader.beside} has no row {row + 1}")
            return NO_TOKENS
        beside = data if joined is None else joined[row]
        said = await self.batch.run(Row(result.index, beside, result.outputs, result.inputs))
        if said.error is not None:
            self.by_index[result.index] = Graded(reason=said.error)
        else:
            self.by_index[result.index] = Graded(leaves_of(said.outputs, self.grader.use.metric, self._only))
        return said.tokens

    async def aggregates(self) -> tuple[dict[str, float], str | None]:
        """What the flow made of all rows, and what went wrong."""
        metric = self.grader.use.metric
        return await aggregated(self.batch, f"evaluator {metric}", f"{metric}.")


async def aggregated(batch: OpenBatch, who: str = "the flow", prefix: str = "") -> tuple[dict[str, float], str | None]:
    """What a flow logged of all its rows, figures that are numbers; and what went wrong, as a sentence."""
    if not batch.flow.has_aggregation or not any(row.is_completed for row in batch.results.values()):
        return {}, None
    try:
        metrics = (await batch.aggregate()).metrics
    except FlowRunError as error:
        return {}, f"the aggregation of {who} failed: {error}"
    odd = [name for name, value in metrics.items() if not math.isfinite(value)]
    problem = f"{who} logged no number as {', '.join(odd)}" if odd else None
    return {f"{prefix}{name}": value for name, value in metrics.items() if name not in odd}, problem


def _number(row: Mapping[str, Any], place: int) -> int:
    said = row.get(LINE_NUMBER)
    return said if isinstance(said, int) and not isinstance(said, bool) else place
