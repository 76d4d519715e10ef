"""When an endpoint's model is renewed, and how: the key `renewal` of a release's config.

renewal:
  pipeline: iris                     # which trains the challenger
  on: [drift, schedule]              # also: webhook, demand
  window: {days: 90, column: at}     # rows of the pipeline's dataset to learn from; default: the pipeline's own
  labelled: {min_rows: 200, days: 30}  # learn from rows this endpoint predicted, too, once their truth is known
  cool_down: 6h                      # after one renewal ended, before the next
  strategy: {shadow: {then: canary}} # how the challenger gets traffic; default: canary
  approve: auto                      # or person: the challenger waits for `opsloop renewal approve`
  dataset: golden                    # rows to judge by; default: those that neither model learned from
  compare_on: both                   # or new: only what the challenger's data brings, when the truth itself changed
  margin: 0.05                       # by how much it may be worse
  gate: {rules: […]}                 # in place of the default gate; with `evaluators`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from opsloop.core.errors import InvalidInput
from opsloop.releases.strategies.registry import plan_of

C = TypeVar("C", bound=StrEnum)
KEY = "renewal"
KEYS = (
    "pipeline", "on", "window", "labelled", "cool_down", "strategy", "approve", "dataset", "compare_on", "margin",
    "evaluators", "gate",
)  # fmt: skip
_SPAN = re.compile(r"(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
MARGIN = 0.05
COOL_DOWN_S = 3_600.0
LABELLED_ROWS = 200
LABELLED_DAYS = 30.0
LABELLED_PATIENCE_S = 7 * 86_400.0


class Cause(StrEnum):
    """What sets a renewal off."""

    DRIFT = "drift"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    DEMAND = "demand"


class Approve(StrEnum):
    AUTO = "auto"
    PERSON = "person"


class CompareOn(StrEnum):
    """`both`: rows of the champion's data and of the challenger's; `new`: of the challenger's alone."""

    BOTH = "both"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Learn from what the endpoint predicted, too.

    Args:
        min_rows: rows with a known truth that must be there; fewer are waited for.
        days: how old such a row may be.
        patience_s: how long to wait for them, in seconds; then the renewal is skipped.
    """

    min_rows: int = LABELLED_ROWS
    days: float = LABELLED_DAYS
    patience_s: float = LABELLED_PATIENCE_S


@dataclass(frozen=True, slots=True)
class Policy:
    """Args:
    window: rows of the pipeline's dataset to learn from, as a pipeline declares them; None: as the pipeline does.
    labelled: None to learn from the dataset alone.
    cool_down_s: after one renewal ended, before another begins, in seconds.
    strategy: as a release declares it; None for the default.
    dataset: a version to judge by; None: the rows that neither model learned from.
    margin: by how much the challenger may be worse: of a share 0 to 1; of an error as a share of the champion's.
    gate: as in an experiment; None: the default one.
    """

    pipeline: str
    on: tuple[Cause, ...] = (Cause.DRIFT, Cause.SCHEDULE)
    window: Mapping[str, Any] | None = None
    labelled: Labelled | None = None
    cool_down_s: float = COOL_DOWN_S
    strategy: Any = None
    approve: Approve = Approve.AUTO
    dataset: str | None = None
    compare_on: CompareOn = CompareOn.BOTH
    margin: float = MARGIN
    evaluators: tuple[Mapping[str, Any], ...] = ()
    gate: Mapping[str, Any] | None = None


def of_config(config: Mapping[str, Any]) -> Policy | None:
    """The policy in a release's config; None where there is none. Raises: InvalidInput."""
    return parse(config[KEY], f"config.{KEY}") if config.get(KEY) is not None else None


def parse(values: object, field: str = KEY) -> Policy:
    """Raises: InvalidInput naming the path, the value and the wanted form."""
    found = _known(values, KEYS, field)
    strategy = found.get("strategy")
    if strategy is not None:
        plan_of(strategy, field=f"{field}.strategy")
    return Policy(
        pipeline=_text(found, "pipeline", field),
        on=_causes(found.get("on", [Cause.DRIFT, Cause.SCHEDULE]), f"{field}.on"),
        window=_mapping(found["window"], f"{field}.window") if found.get("window") is not None else None,
        labelled=_labelled(found.get("labelled"), f"{field}.labelled"),
        cool_down_s=_span(found.get("cool_down", COOL_DOWN_S), f"{field}.cool_down"),
        strategy=strategy,
        approve=_choice(Approve, found.get("approve", Approve.AUTO), f"{field}.approve"),
        dataset=_text(found, "dataset", field) if found.get("dataset") is not None else None,
        compare_on=_choice(CompareOn, found.get("compare_on", CompareOn.BOTH), f"{field}.compare_on"),
        margin=_number(found.get("margin", MARGIN), f"{field}.margin", low=0.0, high=1.0),
        evaluators=_evaluators(found.get("evaluators", []), f"{field}.evaluators"),
        gate=_gate(found, field),
    )


def _gate(found: Mapping[str, Any], field: str) -> Mapping[str, Any] | None:
    if found.get("gate") is None:
        return None
    from opsloop.evaluation.gate_declaration import parse_gate

    parse_gate(found["gate"])
    if not found.get("evaluators"):
        raise InvalidInput(
            f"{field}.evaluators is missing; wanted the measures that the gate's rules are on", field=field
        )
    return _mapping(found["gate"], f"{field}.gate")


def _evaluators(values: object, field: str) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(values, list):
        raise InvalidInput(field=field, value=values, wanted="a list of evaluators as in an experiment")
    return tuple(
        {"name": each} if isinstance(each, str) else _mapping(each, f"{field}[{place}]")
        for place, each in enumerate(values)
    )


def _labelled(values: object, field: str) -> Labelled | None:
    if values is None or values is False:
        return None
    if values is True:
        return Labelled()
    found = _known(values, ("min_rows", "days", "patience"), field)
    return Labelled(
        min_rows=int(_number(found.get("min_rows", LABELLED_ROWS), f"{field}.min_rows", low=1, high=10_000_000)),
        days=_number(found.get("days", LABELLED_DAYS), f"{field}.days", low=0.001, high=36_500.0),
        patience_s=_span(found.get("patience", LABELLED_PATIENCE_S), f"{field}.patience"),
    )


def _causes(values: object, field: str) -> tuple[Cause, ...]:
    if not isinstance(values, list) or not values or not all(each in list(Cause) for each in values):
        raise InvalidInput(field=field, value=values, wanted=f"a list of {', '.join(Cause)}")
    return tuple(dict.fromkeys(Cause(each) for each in values))


def _span(value: object, field: str) -> float:
    """Seconds, or a text such as `30m`."""
    if isinstance(value, str) and (found := _SPAN.fullmatch(value.strip())) is not None:
        return float(found["count"]) * _SECONDS[found["unit"]]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1e9:
        raise InvalidInput(field=field, value=value, wanted="a time such as 30m, 6h or 2d, or a number of seconds")
    return float(value)


def _number(value: object, field: str, *, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidInput(field=field, value=value, wanted=f"a number from {low:g} to {high:g}")
    return float(value)


def _choice(choices: type[C], value: object, field: str) -> C:
    if not isinstance(value, str) or value not in list(choices):
        raise InvalidInput(field=field, value=value, wanted=f"one of {', '.join(choices)}")
    return choices(value)


def _text(found: Mapping[str, Any], key: str, field: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(field=f"{field}.{key}", value=value, wanted=f"the name of a {key}")
    return value


def _known(values: object, keys: tuple[str, ...], field: str) -> Mapping[str, Any]:
    found = _mapping(values, field)
    for key in found:
        if key not in keys:
            near = get_close_matches(str(key), keys, n=1)
            said = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(keys)}"
            raise InvalidInput(f"{field}.{key} is not known{said}", field=f"{field}.{key}")
    return found


def _mapping(values: object, field: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise InvalidInput(field=field, value=values, wanted="a mapping")
    return values
