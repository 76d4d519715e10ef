"""The known evaluators. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import opsloop.evaluation.evaluators as package
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators.aggregates import MakeAggregate
from opsloop.evaluation.evaluators.asking import MakeAsk

Values = Mapping[str, Any]
Score = Callable[[Values], float | None]
MakeScore = Callable[[Values], Score]


@dataclass(frozen=True, slots=True)
class Input:
    """Something an evaluator reads of a row.

    Args:
        usual: references tried in order when the experiment maps nothing: `data.truth`, `run.outputs.answer`,
            `run.chat_output`, `run.passages`, `run.latency_ms`, `run.cost_usd`, `run.prompt_tokens`,
            `run.completion_tokens`.
        required: without it the evaluator cannot be used; else it is None.
    """

    name: str
    usual: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A measure of one row.

    Args:
        make_score: takes the options (a wrong one raises ExperimentInvalid) and gives the function that scores a row's
            inputs: a finite number, None where the measure does not apply; CannotScore when the output is malformed.
        worst: what a row counts on which the flow failed; None when such a row has no value.
        make_aggregate: takes the options and gives what is computed from all rows together; None where nothing is.
        make_ask: for measures that ask something outside, such as a model: takes the options and gives the function
            that scores many rows, or None where these options ask nothing and `make_score` serves.
        outputs: the names of what it gives beside the metric itself, as `metric.output`; None when only a run shows.
    """

    name: str
    inputs: tuple[Input, ...]
    make_score: MakeScore
    options: tuple[str, ...] = ()
    higher_is_better: bool = True
    worst: float | None = 0.0
    unit: str = ""
    make_aggregate: MakeAggregate | None = None
    make_ask: MakeAsk | None = None
    outputs: tuple[str, ...] | None = ()


_EVALUATORS: dict[str, Evaluator] = {}


def register(evaluator: Evaluator) -> Evaluator:
    _EVALUATORS[evaluator.name] = evaluator
    return evaluator


@cache
def known() -> dict[str, Evaluator]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_EVALUATORS.items()))


def find(name: str, *, field: str) -> Evaluator:
    """Raises: ExperimentInvalid naming the nearest known evaluator."""
    if name not in known():
        raise ExperimentInvalid(field, f"one of {', '.join(known())}", known=known(), value=name)
    return known()[name]


TRUTHS = ("data.truth", "data.ground_truth", "data.groundtruth", "data.expected", "data.reference", "data.answer")
ANSWERS = ("run.chat_output", "run.outputs.answer", "run.outputs.output", "run.outputs.prediction")
TRUTH = Input("truth", TRUTHS)
ANSWER = Input("answer", ANSWERS)
ABSTAINED = Input("abstained", ("run.outputs.abstained",), required=False)
ANSWERABLE = Input("answerable", ("data.answerable", "data.is_answerable"), required=False)
