"""Which variants of a flow's nodes an experiment runs.

variants: defaults                        # as if nothing stood there: one run
variants: "*"                             # each variant of each node, the other nodes at their default
variants: [summarise.variant_1, terse]    # these
variants:
  select: "*"
  by: successive_halving                  # or one_by_one, full_factorial
  metric: token_f1                        # by which they are compared; a variant that loses is stopped
  alpha: 0.05                             # the chance that the best is stopped for losing
  bounds: [0, 1]                          # between which the metric of a row lies
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from opsloop.core.declared import Declared
from opsloop.evaluation.declared import declared
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import By, VariantsSpec
from opsloop.flows.models import Flow

_KEYS = ("select", "by", "metric", "alpha", "bounds", "higher_is_better")
_BETWEEN = ", "
ALL = ("*", "all")
DEFAULTS = ("defaults", "default")
RUNS_LIMIT = 64


def parse(values: object, path: str) -> VariantsSpec | None:
    """None for the defaults alone. Raises: ExperimentInvalid."""
    if not isinstance(values, Mapping):
        selected = _selected(values, path)
        return None if selected == () else VariantsSpec(selected)
    found = declared(values, path, _KEYS)
    selected = _selected(found.values.get("select", "*"), f"{path}.select")
    if selected == ():
        return None
    by = found.text("by", By.ONE_BY_ONE.value)
    if by not in list(By):
        raise found.wrong("by", f"one of {', '.join(By)}", known=[each.value for each in By])
    metric = found.optional_text("metric")
    if by == By.SUCCESSIVE_HALVING and metric is None:
        raise found.wrong("metric", "the metric by which the better half is kept")
    alpha = found.number("alpha")
    if alpha is not None and not 0.0 < alpha < 0.5:
        raise found.wrong("alpha", "a number above 0 and below 0.5")
    low, high = _bounds(found)
    return VariantsSpec(
        select=selected,
        by=By(by),
        metric=metric,
        alpha=0.05 if alpha is None else alpha,
        low=low,
        high=high,
        higher_is_better=found.flag("higher_is_better", True),
    )


def names_of(spec: VariantsSpec | None, flow: Flow) -> list[str]:
    """What each run of the experiment chooses, as its `variant`; one empty name when there is one run.

    Raises: ExperimentInvalid.
    """
    if spec is None or not flow.variants:
        return [""]
    _check_known(spec, flow)
    enabled = {
        node: [each for each in ways.variants if _is_enabled(spec, node, each)] for node, ways in flow.variants.items()
    }
    if spec.by is By.ONE_BY_ONE:
        choices = [{node: each} for node, ids in enabled.items() for each in ids]
    else:
        ways = [[(node, each) for each in ids or [flow.variants[node].default_id]] for node, ids in enabled.items()]
        count = 1
        for each in ways:
            count *= len(each)
        if count > RUNS_LIMIT:
            wanted = f"at most {RUNS_LIMIT} combinations of variants; these are {count}"
            raise ExperimentInvalid("variants.select", wanted)
        choices = [dict(each) for each in itertools.product(*ways)]
    return list(dict.fromkeys(_name(flow, choice) for choice in choices))


def chosen_in(name: str) -> dict[str, str]:
    """The variants by node that a run's `variant` names."""
    parts = (each.rpartition(".") for each in name.split(_BETWEEN) if each)
    return {node: id for node, _, id in parts}


def _name(flow: Flow, choice: Mapping[str, str]) -> str:
    return _BETWEEN.join(f"{node}.{id}" for node, id in choice.items() if id != flow.variants[node].default_id)


def _is_enabled(spec: VariantsSpec, node: str, id: str) -> bool:
    return spec.select is None or f"{node}.{id}" in spec.select or id in spec.select


def _check_known(spec: VariantsSpec, flow: Flow) -> None:
    known = [f"{node}.{each}" for node, ways in flow.variants.items() for each in ways.variants]
    for name in spec.select or ():
        if name not in known and name not in (each.rpartition(".")[2] for each in known):
            raise ExperimentInvalid("variants", f"one of {', '.join(known)}", known=known, value=name)


def _selected(values: object, path: str) -> tuple[str, ...] | None:
    """None for all, none for the defaults."""
    if isinstance(values, str):
        word = values.strip()
        if word.lower() in ALL:
            return None
        if word.lower() in DEFAULTS:
            return ()
        values = [each.strip() for each in word.split(",")]
    if not isinstance(values, list) or not values or not all(isinstance(each, str) and each for each in values):
        raise ExperimentInvalid(path, '"*", defaults, or a list of names such as node.variant', value=values)
    return tuple(each.strip().removeprefix("${").removesuffix("}") for each in values)


def _bounds(found: Declared) -> tuple[float, float]:
    given = found.listing("bounds") or [0.0, 1.0]
    are_numbers = len(given) == 2 and all(isinstance(e, int | float) and not isinstance(e, bool) for e in given)
    if not are_numbers or not given[0] < given[1]:
        raise found.wrong("bounds", "two numbers, the lower first, such as [0, 1]")
    return float(given[0]), float(given[1])
