"""What a search over parameters is declared as: which parameters, which values, and how they are tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.training.declared import declared
from opsloop.training.errors import PipelineInvalid

METHODS = ("grid", "random", "halving")
MOST_TRIES = 10_000
_KEYS = ("method", "over", "tries", "folds", "metric")
_RANGE = ("low", "high", "log", "whole")


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both of them included; `is_log` spreads the tries over orders of magnitude."""

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Args:
    over: parameter, as `step.option` or the name of a function's parameter, to its values or range.
    tries: how many candidates a random search or a halving begins with; a grid tries all.
    folds: of the cross-validation within the training rows that candidates are compared by.
    metric: which they are compared by; empty: log loss or squared error.
    """

    method: str
    over: Mapping[str, tuple[Any, ...] | Range]
    tries: int = 20
    folds: int = 3
    metric: str = ""


def parse_search(values: object, path: str, metrics: tuple[str, ...]) -> Search:
    """Raises: PipelineInvalid naming the key path."""
    found = declared(values, path, _KEYS)
    method = found.choice("method", METHODS, "random")
    over = {name: _values(value, f"{found.at('over')}.{name}") for name, value in found.mapping("over").items()}
    if not over:
        raise found.wrong("over", "at least one parameter such as logistic_regression.C, with a list or a range")
    if method == "grid":
        for name, value in over.items():
            if isinstance(value, Range):
                wanted = "a list of values; a range is for method random or halving"
                raise PipelineInvalid(f"{found.at('over')}.{name}", wanted, value=found.mapping("over")[name])
    return Search(
        method=method,
        over=over,
        tries=found.whole("tries", 20, least=2, most=MOST_TRIES),
        folds=found.whole("folds", 3, least=2, most=50),
        metric=found.choice("metric", metrics) if "metric" in found.values else "",
    )


def _values(value: object, path: str) -> tuple[Any, ...] | Range:
    if isinstance(value, list | tuple):
        if not value:
            raise PipelineInvalid(path, "at least one value", value=value)
        return tuple(value)
    if not isinstance(value, Mapping):
        raise PipelineInvalid(path, "a list of values, or a range {low, high}", value=value)
    found = declared(value, path, _RANGE)
    low, high = found.number("low"), found.number("high")
    if low is None:
        raise found.wrong("low", "a number")
    if high is None or high <= low:
        raise found.wrong("high", f"a number above low, which is {low:g}")
    is_log = found.flag("log", False)
    if is_log and low <= 0:
        raise found.wrong("low", "a number above 0, as log is true")
    is_whole = found.flag("whole", isinstance(value.get("low"), int) and isinstance(value.get("high"), int))
    return Range(low, high, is_log, is_whole)
