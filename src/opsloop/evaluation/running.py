"""The rows of one run: each through the flow, and at once, beside the rows that go on, to the evaluation flows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opsloop.evaluation import graded
from opsloop.evaluation.bindings import Measure, ScoredRow
from opsloop.evaluation.grading import Grader, Grades, aggregated
from opsloop.evaluation.loading import Opened
from opsloop.evaluation.models import RowRecord
from opsloop.evaluation.predicting import OpenedModel
from opsloop.evaluation.scoring import record
from opsloop.flows.batch_row import Row
from opsloop.flows.open_batch import OpenBatch
from opsloop.flows.results import TokenUse, summed
from opsloop.flows.row_result import RowResult

# Most rows in work at a time: so many calls of models, and so few rows that share the processor.
ROWS_AT_ONCE = 96
LOCAL_ROWS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one dataset and what is measured of them.

    Args:
        journals: what the files are called in which finished rows are kept, without an ending; None to keep none.
    """

    ref: str
    rows: Sequence[Mapping[str, Any]]
    mapping: Mapping[str, Any]
    measures: Sequence[Measure]
    graders: Sequence[Grader]
    journals: Path | None

    def journal(self, suffix: str = "") -> Path | None:
        return None if self.journals is None else self.journals.with_name(f"{self.journals.name}{suffix}.jsonl")


@dataclass(frozen=True, slots=True)
class Place:
    """One row of a run: the part it belongs to, its number there, and which time it is run."""

    part: int
    row: int
    repeat: int


@dataclass(frozen=True, slots=True)
class Done:
    """A row that was run and measured, without what evaluation flows gave, and what all of it used."""

    record: RowRecord
    used: TokenUse


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: a record for each row, also of those not run; `aggregates` are figures over all rows."""

    records: list[RowRecord]
    used: TokenUse
    aggregates: dict[str, float]
    warnings: tuple[str, ...]


class RunOfRows:
    """A flow over parts; use it as an async context manager.

    Args:
        opened: the flow, or the model.
        repeats: how often each row is run.
        asked: metrics that the experiment speaks of.
    """

    def __init__(
        self, opened: Opened | OpenedModel, parts: Sequence[Part], repeats: int, asked: Collection[str] = ()
    ) -> None:
        self.parts = parts
        self.repeats = repeats
        self._asked = asked
        self.done: dict[Place, Done] = {}
        self._targets = [opened.batch(part.mapping, part.rows, repeats, part.journal()) for part in parts]
        self._grades = [
            [Grades(each, each.batch(part.journal(f"-e{place}"))) for place, each in enumerate(part.graders)]
            for part in parts
        ]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> RunOfRows:
        for batch in [*self._targets, *(each.batch for grades in self._grades for each in grades)]:
            await self._stack.enter_async_context(batch)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def places(self) -> Iterator[Place]:
        """All rows in the order of the data."""
        for number, part in enumerate(self.parts):
            for row in range(len(part.rows)):
                yield from (Place(number, row, repeat) for repeat in range(self.repeats))

    async def run(self, place: Place) -> Done:
        """Run a row and measure it. Raises: ScoreUnusable, EvaluatorBroke, LinesUnwritable."""
        part, data = self.parts[place.part], self.parts[place.part].rows[place.row]
        result = await self._targets[place.part].run(Row(place.row * self.repeats + place.repeat, data))
        used = [result.tokens, *await self._graded(place, data, result)]
        found = record(part.ref, place.row, place.repeat, ScoredRow(data, result), part.measures)
        done = self.done[place] = Done(found, summed(used))
        return done

    def score(self, place: Place, metric: str) -> float | None:
        """The figure of a row that was run, under the metric of a measure or of an evaluation flow."""
        scores = self.done[place].record.scores
        if metric in scores:
            return scores[metric]
        index = place.row * self.repeats + place.repeat
        found = (graded.value_of(each.by_index[index], metric) for each in self._grades[place.part])
        return next((figure for figure in found if figure is not None), None)

    async def outcome(self, skipped: str) -> Outcome:
        """What came out.

        Args:
            skipped: why rows were not run.
        """
        records = [self._record(place, skipped) for place in self.places()]
        warnings: list[str] = []
        for number, grades in enumerate(self._grades):
            for each in grades:
                _add_scores(records, self.parts[number].ref, each, self.repeats, self._asked)
        aggregates: dict[str, float] = {}
        for number, part in enumerate(self.parts):
            suffix = f"@{part.ref}" if len(self.parts) > 1 else ""
            told = [
                await self._aggregated(number),
                *[await each.aggregates() for each in self._grades[number]],
            ]
            for figures, problem in told:
                warnings += [problem] if problem is not None else []
                for name, value in figures.items():
                    aggregates[name if self._is_alone(name, number) else f"{name}{suffix}"] = value
        return Outcome(records, summed(each.used for each in self.done.values()), aggregates, tuple(warnings))

    async def _graded(self, place: Place, data: Mapping[str, Any], result: RowResult) -> list[TokenUse]:
        grades = self._grades[place.part]
        if not result.is_completed:
            for each in grades:
                each.by_index[result.index] = graded.Graded(reason=graded.FLOW_FAILED)
            return []
        if len(grades) == 1:
            return [await grades[0].grade(place.row, data, result)]
        return await asyncio.gather(*(each.grade(place.row, data, result) for each in grades))

    def _record(self, place: Place, skipped: str) -> RowRecord:
        done = self.done.get(place)
        part = self.parts[place.part]
        if done is None:
            return _not_run(part, place, skipped)
        counted = not done.used.uncounted_calls
        return replace(
            done.record,
            cost_usd=done.used.cost_usd,
            prompt_tokens=done.used.prompt if counted else None,
            completion_tokens=done.used.completion if counted else None,
        )

    async def _aggregated(self, number: int) -> tuple[dict[str, float], str | None]:
        """What the flow made of all rows; a model makes nothing of them."""
        target = self._targets[number]
        return await aggregated(target) if isinstance(target, OpenBatch) else ({}, None)

    def _is_alone(self, name: str, number: int) -> bool:
        """Whether what an evaluation flow logs comes from one dataset only."""
        evaluators = [[each.grader.use.metric for each in grades] for grades in self._grades]
        mine = next((each for each in evaluators[number] if name.startswith(f"{each}.")), None)
        return mine is not None and sum(mine in others for others in evaluators) == 1


def rows_at_once(flows: Sequence[Opened], *, has_server: bool) -> int:
    """How many rows to have in work: many where they wait for a model, few where they share this processor.

    Args:
        has_server: whether a node that names no connection asks a server.
    """
    nodes = [node for each in flows for node in each.flow.flow.nodes]
    waits = any(node.connection or (has_server and node.type in ("llm", "prompty", "custom_llm")) for node in nodes)
    return ROWS_AT_ONCE if waits or any(node.type == "flex" for node in nodes) else LOCAL_ROWS_AT_ONCE


def _not_run(part: Part, place: Place, why: str) -> RowRecord:
    return RowRecord(
        dataset=part.ref,
        row=place.row,
        repeat=place.repeat,
        data=dict(part.rows[place.row]),
        inputs={},
        outputs={},
        scores={},
        errors={},
        error=None,
        latency_ms=0.0,
        skipped=why,
    )


def _add_scores(records: list[RowRecord], ref: str, grades: Grades, repeats: int, asked: Collection[str]) -> None:
    """Put what an evaluation flow gave into the records of its dataset."""
    use = grades.grader.use
    places = [place for place, each in enumerate(records) if each.dataset == ref and each.skipped is None]
    rows = [grades.by_index[records[place].row * repeats + records[place].repeat] for place in places]
    found = graded.scores(rows, use.metric, worst=use.worst, asked=asked)
    for place, figures, errors in zip(places, found.rows, found.errors, strict=True):
        record = records[place]
        records[place] = replace(record, scores={**record.scores, **figures}, errors={**record.errors, **errors})
