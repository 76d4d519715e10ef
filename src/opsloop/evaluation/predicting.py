"""Rows through a trained model: all of them at once, so that a hundred thousand take seconds.

A row whose values the model does not take fails by itself, as a row fails on which a flow fails.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.evaluation.subjects import INTERVAL, PREDICTION, SCORES
from opsloop.flows.batch_row import Row
from opsloop.flows.mapping import row_inputs
from opsloop.flows.models import Flow
from opsloop.flows.row_result import RowResult, failed
from opsloop.models.signature import Field, FieldType, Signature, Task

if TYPE_CHECKING:
    import numpy as np

    from opsloop.models.runtime import LoadedModel, Predictions

CHUNK_ROWS = 10_000
"""Rows that are predicted together: few enough that a thread is back within a fraction of a second."""

YIELD_EVERY_ROWS = 500
DEFAULT_COVERAGE = 0.9
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model, ready to predict rows; `flow` names what it takes and gives.

    Attributes:
        coverage: the share of truths that its intervals are to cover.
    """

    model: LoadedModel
    flow: Flow
    coverage: float = DEFAULT_COVERAGE

    def batch(
        self, mapping: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], repeats: int, journal: Path | None
    ) -> PredictedBatch:
        return PredictedBatch(self, mapping, rows, repeats)


class PredictedBatch:
    """The rows of one dataset through a model; use it as an async context manager."""

    def __init__(
        self, opened: OpenedModel, mapping: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], repeats: int
    ) -> None:
        self._opened = opened
        self._mapping = mapping
        self._rows = rows
        self._repeats = repeats
        self._results: dict[int, RowResult] = {}
        self._one_at_a_time = asyncio.Lock()
        self._asked = 0

    async def __aenter__(self) -> PredictedBatch:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._results.clear()

    async def run(self, row: Row) -> RowResult:
        """What the model says of a row; the rows around it are predicted with it."""
        place = row.index // self._repeats
        if place not in self._results:
            async with self._one_at_a_time:
                if place not in self._results:
                    self._results |= await asyncio.to_thread(self._predicted, place - place % CHUNK_ROWS)
        self._asked += 1
        if self._asked % YIELD_EVERY_ROWS == 0:
            await asyncio.sleep(0)  # who watches the run gets a turn
        result = self._results[place]
        return result if result.index == row.index else replace(result, index=row.index)

    def _predicted(self, first: int) -> dict[int, RowResult]:
        opened = self._opened
        rows = self._rows[first : first + CHUNK_ROWS]
        found: dict[int, RowResult] = {}
        taken: list[tuple[int, dict[str, Any], list[Any]]] = []
        for number, row in enumerate(rows, start=first):
            inputs: dict[str, Any] = {}
            try:
                inputs = row_inputs(opened.flow, row, self._mapping)
                taken.append((number, inputs, values_of(opened.model.signature, inputs)))
            except OpsloopError as error:
                found[number] = failed(number, inputs, error, None)
        if taken:
            found |= self._answers(taken)
        return found

    def _answers(self, taken: Sequence[tuple[int, dict[str, Any], list[Any]]]) -> dict[int, RowResult]:
        model = self._opened.model
        started_s = time.perf_counter()
        table = table_of(model.signature, [values for _, _, values in taken])
        predictions = model.predict(table)
        outputs = list(_outputs(model, predictions, self._opened.coverage, len(taken)))
        duration_ms = 1000.0 * (time.perf_counter() - started_s) / len(taken)
        return {
            number: RowResult(number, inputs, given, duration_ms=duration_ms)
            for (number, inputs, _), given in zip(taken, outputs, strict=True)
        }


def values_of(signature: Signature, inputs: Mapping[str, Any]) -> list[Any]:
    """The values of a row in the order of the signature. Raises: InvalidInput naming the first that is wrong."""
    return [_READ[each.type](each, inputs.get(each.name)) for each in signature.inputs]


def table_of(signature: Signature, rows: Sequence[Sequence[Any]]) -> np.ndarray[Any, Any]:
    """Rows as models take them: float64 when every input is a number, else objects."""
    import numpy as np

    has_text = any(each.type is FieldType.TEXT for each in signature.inputs)
    return np.array(rows, dtype=object if has_text else np.float64).reshape(len(rows), len(signature.inputs))


def _number(field: Field, value: Any) -> float:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return float(_missing(field, math.nan))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInput(field=field.name, value=value, wanted="a finite number")
    return float(value)


def _integer(field: Field, value: Any) -> float:
    number = _number(field, value)
    if not math.isnan(number) and not number.is_integer():
        raise InvalidInput(field=field.name, value=value, wanted="a whole number")
    return number


def _boolean(field: Field, value: Any) -> float:
    if value is None:
        return float(_missing(field, math.nan))
    if not isinstance(value, bool) and value not in (0, 1):
        raise InvalidInput(field=field.name, value=value, wanted="true or false")
    return float(value)


def _text(field: Field, value: Any) -> Any:
    if value is None:
        return _missing(field, None)
    if not isinstance(value, str):
        raise InvalidInput(field=field.name, value=value, wanted="text")
    return value


def _missing(field: Field, nothing: Any) -> Any:
    if not field.nullable:
        raise InvalidInput(field=field.name, value=None, wanted=f"a {field.type.value}; the model takes none missing")
    return nothing


_READ: Mapping[FieldType, Callable[[Field, Any], Any]] = {
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.TEXT: _text,
}


def _outputs(model: LoadedModel, predictions: Predictions, coverage: float, rows: int) -> Sequence[dict[str, Any]]:
    """What the model gives of each row, as JSON has it."""
    output = model.signature.output
    given: list[dict[str, Any]] = [{PREDICTION: value} for value in predictions.values]
    if predictions.scores is not None:
        names = [str(each) for each in output.classes]
        for each, row in zip(given, predictions.scores.tolist(), strict=True):
            each[SCORES] = {name: round(score, _DIGITS) for name, score in zip(names, row, strict=True)}
    for each, within in zip(given, _intervals(predictions, output.task, coverage, rows), strict=True):
        each[INTERVAL] = within
    return given


def _intervals(predictions: Predictions, task: Task, coverage: float, rows: int) -> Sequence[Any]:
    """An interval of each row; None where the model was registered without what intervals are made of."""
    try:
        if task is Task.CLASSIFICATION:
            return predictions.sets(1.0 - coverage)
        low, high = predictions.interval(1.0 - coverage)
    except OpsloopError:
        return [None] * rows
    return [{"low": one, "high": other} for one, other in zip(map(float, low), map(float, high), strict=True)]
