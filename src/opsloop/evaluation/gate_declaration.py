"""The `gate:` of an experiment."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from opsloop.core.declared import Declared
from opsloop.core.errors import InvalidInput
from opsloop.evaluation.declared import declared
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import MAX_FAILED, GateSpec
from opsloop.evaluation.rules import EACH, LEAST_ROWS, Rule
from opsloop.evaluation.slices import OF_DATASET, condition

_GATE = ("alpha", "baseline", "cluster_by", "key", "slices", "max_failed", "max_missing", "rules")
_RULE = (
    "metric",
    "at_least",
    "at_most",
    "margin",
    "non_inferior_margin",
    "margin_pct",
    "better_by",
    "no_flips",
    "most_flips",
    "pass_at",
    "quantile",
    "slice",
    "min_rows",
    "higher_is_better",
)
_MOST = 10**9


def parse_gate(values: object) -> GateSpec:
    """The gate that a mapping declares. Raises: ExperimentInvalid naming the key path."""
    found = declared(values, "gate", _GATE)
    slices = found.mapping("slices")
    for name, rows in slices.items():
        if name == EACH:
            raise ExperimentInvalid("gate.slices", "names other than each, which means every slice", value=name)
        condition(rows, field=f"gate.slices.{name}")
    rules = tuple(_rule(each, f"gate.rules[{place}]", slices) for place, each in enumerate(found.listing("rules")))
    if not rules:
        raise found.wrong("rules", "a list with at least one rule")
    alpha = found.number("alpha")
    if alpha is not None and not 0.0 < alpha < 0.5:
        raise found.wrong("alpha", "a number above 0 and below 0.5")
    max_failed = _share(found, "max_failed")
    return GateSpec(
        rules=rules,
        alpha=0.05 if alpha is None else alpha,
        baseline=found.text("baseline", "stable"),
        cluster_by=found.optional_text("cluster_by"),
        key=found.optional_text("key"),
        slices=slices,
        max_failed=MAX_FAILED if max_failed is None else max_failed,
        max_missing=_share(found, "max_missing"),
    )


def check_columns(spec: GateSpec | None, columns: Collection[str]) -> None:
    """Raises: ExperimentInvalid when the gate reads a column that no dataset of the experiment has."""
    if spec is None:
        return
    for field, column in (("gate.cluster_by", spec.cluster_by), ("gate.key", spec.key)):
        if column is not None and column not in columns:
            raise ExperimentInvalid(field, f"one of {', '.join(columns)}", known=columns, value=column)
    for name, rows in spec.slices.items():
        field = f"gate.slices.{name}"
        for column in sorted(condition(rows, field=field).columns - OF_DATASET):
            if column not in columns:
                raise ExperimentInvalid(field, f"columns among {', '.join(columns)}", known=columns, value=column)


def _share(found: Declared, key: str) -> float | None:
    share = found.number(key)
    if share is not None and not 0.0 <= share <= 1.0:
        raise found.wrong(key, "a share of the rows, from 0 to 1")
    return share


def _rule(values: object, path: str, slices: dict[str, Any]) -> Rule:
    found = declared(values, path, _RULE)
    margins = [key for key in ("margin", "non_inferior_margin") if key in found.values]
    if len(margins) > 1:
        raise found.wrong("margin", "margin or non_inferior_margin, which mean the same, and not both")
    part = found.optional_text("slice")
    if part is not None and part not in (*slices, EACH):
        known = (*slices, EACH)
        raise found.wrong("slice", f"one of {', '.join(known)}, which gate.slices names", known=known)
    try:
        return Rule(
            metric=found.text("metric"),
            at_least=found.number("at_least"),
            at_most=found.number("at_most"),
            margin=found.number(margins[0]) if margins else None,
            higher_is_better=found.flag("higher_is_better", True),
            margin_pct=found.number("margin_pct"),
            better_by=found.number("better_by"),
            no_flips=found.flag("no_flips", False),
            most_flips=found.whole("most_flips", 0, least=0, most=_MOST),
            pass_at=found.number("pass_at"),
            quantile=found.number("quantile"),
            slice=part,
            min_rows=found.whole("min_rows", LEAST_ROWS, least=0, most=_MOST),
        )
    except ExperimentInvalid:
        raise
    except InvalidInput as error:
        raise ExperimentInvalid(path, error.facts["wanted"], value=dict(found.values)) from None
