"""Where an evaluator's inputs come from: what the experiment maps, else the usual columns and outputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opsloop.evaluation.declared import declared
from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators.aggregates import Aggregate, Part
from opsloop.evaluation.evaluators.asking import Ask
from opsloop.evaluation.evaluators.brought.lookup import evaluator_of
from opsloop.evaluation.evaluators.registry import Evaluator, Input, Score
from opsloop.evaluation.fitting import outputs_of
from opsloop.evaluation.models import ExperimentEvaluator
from opsloop.flows.chat_history import chat_answer
from opsloop.flows.formats.references import NotAReference, StepMissing, follow, steps_of
from opsloop.flows.models import Flow
from opsloop.flows.results import TokenUse
from opsloop.flows.row_result import RowResult

_REFERENCE = re.compile(r"\s*\$\{\s*(data|run\.outputs|run\.inputs)\.([^{}]+)\}\s*")
_FORMS = "a value, ${data.COLUMN}, ${run.outputs.NAME} or ${run.inputs.NAME}"
PASSAGES = ("passages", "contexts", "context", "documents")


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """What an evaluator may read of a row: the dataset's row and what became of it."""

    data: Mapping[str, Any]
    result: RowResult


Read = Callable[[ScoredRow], Any]


@dataclass(frozen=True, slots=True)
class _Source:
    read: Read
    is_data: bool
    from_traces: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """An evaluator, ready to score the rows of one dataset under one flow.

    Exactly one of `score`, for a row at once, and `ask`, for all rows together, is there. `joined` are rows that it
    reads in place of the dataset's own, by the number of the row they stand beside.
    """

    metric: str
    evaluator: Evaluator
    score: Score | None
    sources: Mapping[str, _Source]
    ask: Ask | None = None
    aggregate: Aggregate | None = None
    joined: Mapping[int, Mapping[str, Any]] | None = None

    @property
    def needs_traces(self) -> bool:
        """Whether it reads what nodes gave, which a journal does not keep."""
        return any(source.from_traces for source in self.sources.values())

    def of(self, row: ScoredRow) -> float | None:
        """The score of a completed row; None where it does not apply. Raises: CannotScore."""
        assert self.score is not None
        values = self.values(row)
        return None if values is None else self.score(values)

    def values(self, row: ScoredRow) -> Mapping[str, Any] | None:
        """The inputs of a completed row; None where the data do not say what would be right. Raises: CannotScore."""
        values: dict[str, Any] = {}
        for each in self.evaluator.inputs:
            source = self.sources.get(each.name)
            value = values[each.name] = source.read(row) if source is not None else None
            if value is None and each.required:
                if source is not None and source.is_data:
                    return None
                raise CannotScore(f"the flow gave no {each.name}")
        return values

    def part_of(self, row: ScoredRow, number: int) -> Part:
        """What the aggregate keeps of a row, completed or failed; None where the row has no say.

        Args:
            number: of the row in its dataset.
        """
        assert self.aggregate is not None
        if self.joined is not None:
            if number not in self.joined:
                return None
            row = replace(row, data=self.joined[number])
        sources = self.sources
        values = {
            each.name: sources[each.name].read(row) if each.name in sources else None for each in self.evaluator.inputs
        }
        if any(values[each.name] is None and sources[each.name].is_data for each in self._required()):
            return None
        try:
            return self.aggregate.part(values)
        except CannotScore:
            given = {
                name: value if sources[name].is_data else None for name, value in values.items() if name in sources
            }
        try:
            return self.aggregate.part({**dict.fromkeys(values), **given})
        except CannotScore:
            return None  # the data are malformed, which the row's error says

    def _required(self) -> list[Input]:
        return [each for each in self.evaluator.inputs if each.required and each.name in self.sources]


def reads_truth(use: ExperimentEvaluator, *, field: str) -> bool:
    """Whether an evaluator has an input `truth`. Raises: ExperimentInvalid when it is unknown."""
    return any(each.name == "truth" for each in evaluator_of(use, field=field).inputs)


def measure(use: ExperimentEvaluator, flow: Flow, columns: Collection[str], dataset: str, *, field: str) -> Measure:
    """Bind an evaluator to a flow and a dataset.

    Args:
        columns: names of the dataset's columns.
        field: where the evaluator is declared, for the errors.
    Raises: ExperimentInvalid when it is unknown, an option is wrong, or an input it needs is nowhere.
    """
    evaluator = evaluator_of(use, field=field)
    options = declared(use.options, f"{field}.options", evaluator.options).values
    try:
        ask = evaluator.make_ask(options) if evaluator.make_ask is not None else None
        score = evaluator.make_score(options) if ask is None else None
        aggregate = evaluator.make_aggregate(options) if evaluator.make_aggregate is not None else None
    except ExperimentInvalid as error:
        facts = {"value": error.facts["value"]} if "value" in error.facts else {}
        raise ExperimentInvalid(f"{field}.{error.facts['field']}", error.facts["wanted"], **facts) from None
    names = [each.name for each in evaluator.inputs]
    mappings = declared({**use.mappings, **use.datasets.get(dataset, {})}, f"{field}.mappings", tuple(names)).values
    sources = {}
    for each in evaluator.inputs:
        if each.name in mappings:
            sources[each.name] = _mapped(mappings[each.name], flow, columns, f"{field}.mappings.{each.name}")
        elif (found := _usual(each, flow, columns)) is not None:
            sources[each.name] = found
        elif each.required:
            raise _nowhere(each, flow, columns, dataset, f"{field}.mappings.{each.name}")
    return Measure(use.metric, evaluator, score, sources, ask, aggregate)


def _mapped(value: Any, flow: Flow, columns: Collection[str], field: str) -> _Source:
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        if isinstance(value, str) and value.lstrip().startswith("${"):
            raise ExperimentInvalid(field, _FORMS, value=value)
        return _Source(lambda _row: value, is_data=False)
    kind, path = found.groups()
    known = {"data": columns, "run.outputs": outputs_of(flow), "run.inputs": flow.inputs}[kind]
    steps = [path] if known is not None and path in known else _steps(path, field, value)
    if known is not None and steps[0] not in known:
        raise ExperimentInvalid(field, f"one of {', '.join(known)} in {kind}", known=known, value=steps[0])
    return _Source(_reader(kind, steps), is_data=kind == "data")


def _steps(path: str, field: str, value: str) -> Sequence[str | int]:
    try:
        return steps_of(f".{path}")
    except NotAReference:
        raise ExperimentInvalid(field, _FORMS, value=value) from None


def _reader(kind: str, steps: Sequence[str | int]) -> Read:
    def read(row: ScoredRow) -> Any:
        root = {"data": row.data, "run.outputs": row.result.outputs, "run.inputs": row.result.inputs}[kind]
        try:
            return follow(root, tuple(steps))
        except StepMissing:
            return None

    return read


def _usual(wanted: Input, flow: Flow, columns: Collection[str]) -> _Source | None:
    for usual in wanted.usual:
        kind, _, name = usual.rpartition(".")
        if kind == "data" and name in columns:
            return _Source(_reader("data", [name]), is_data=True)
        if kind == "run.outputs" and name in flow.outputs:
            return _Source(_reader("run.outputs", [name]), is_data=False)
        if usual == "run.chat_output" and flow.chat_output is not None:
            return _Source(lambda row: chat_answer(flow, row.result.outputs), is_data=False)
        if usual in _OF_RUN:
            return _Source(_OF_RUN[usual], is_data=usual == "data")
        if usual == "run.passages":
            return _passages(flow)
    return None


def _tokens(of: Callable[[TokenUse], int]) -> Read:
    return lambda row: None if row.result.tokens.uncounted_calls else of(row.result.tokens)


_OF_RUN: Mapping[str, Read] = {
    "data": lambda row: dict(row.data),
    "run.outputs": lambda row: dict(row.result.outputs),
    "run.inputs": lambda row: dict(row.result.inputs),
    "run.latency_ms": lambda row: row.result.duration_ms,
    "run.cost_usd": lambda row: row.result.tokens.cost_usd,
    "run.prompt_tokens": _tokens(lambda used: used.prompt),
    "run.completion_tokens": _tokens(lambda used: used.completion),
}


def _passages(flow: Flow) -> _Source:
    """What the flow read: an output of one of the usual names, else the output of the node that gave passages."""
    for name in PASSAGES:
        if name in flow.outputs:
            return _Source(_reader("run.outputs", [name]), is_data=False)
    return _Source(_passages_of_nodes, is_data=False, from_traces=True)


def _passages_of_nodes(row: ScoredRow) -> Any:
    by_name = {node.node: node.output for node in row.result.nodes}
    named = next((by_name[name] for name in PASSAGES if isinstance(by_name.get(name), list)), None)
    return named if named is not None else next(filter(_are_passages, by_name.values()), None)


def _are_passages(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) and "text" in each for each in value)
    )


def _nowhere(wanted: Input, flow: Flow, columns: Collection[str], dataset: str, field: str) -> ExperimentInvalid:
    return ExperimentInvalid(
        field,
        f"where {wanted.name} comes from, such as ${{data.COLUMN}} (columns of {dataset}: {', '.join(columns)}; "
        f"outputs of the flow: {', '.join(flow.outputs)})",
    )
