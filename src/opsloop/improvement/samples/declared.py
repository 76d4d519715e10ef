"""A scoring as it is declared, checked.

{"share": 0.1, "per_hour": 60, "evaluators": {
    "leaks": {"evaluator": "pii_leak", "measure": "privacy"},
    "form": {"evaluator": "json_schema", "options": {"schema": {"type": "object"}}, "passes_from": 1}}}
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, cast

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.evaluators import registry
from opsloop.improvement.samples.models import LiveMeasure, Scoring

MOST_MEASURES = 20
MOST_PER_HOUR = 10_000
_KEYS = ("share", "per_hour", "evaluators")
_MEASURE_KEYS = ("evaluator", "options", "measure", "passes_from", "scale")
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def parse(endpoint: str, given: object, at: str = "scoring") -> Scoring:
    """Raises: InvalidInput naming the key."""
    wanted = _mapping(at, given, _KEYS)
    measures = wanted.get("evaluators")
    if not isinstance(measures, Mapping) or not 1 <= len(measures) <= MOST_MEASURES:
        raise InvalidInput(field=f"{at}.evaluators", value=measures, wanted=f"1 to {MOST_MEASURES} evaluators by name")
    share = _number(f"{at}.share", wanted.get("share", 1), 0, 1)
    if share == 0:
        raise InvalidInput(field=f"{at}.share", value=0, wanted="a share above 0 and up to 1")
    per_hour = wanted.get("per_hour", 120)
    if isinstance(per_hour, bool) or not isinstance(per_hour, int) or not 1 <= per_hour <= MOST_PER_HOUR:
        raise InvalidInput(field=f"{at}.per_hour", value=per_hour, wanted=f"a whole number from 1 to {MOST_PER_HOUR:,}")
    found = tuple(_measure(f"{at}.evaluators.{name}", name, each) for name, each in measures.items())
    return Scoring(endpoint, found, share, per_hour, dict(wanted))


def inputs_of(evaluator: registry.Evaluator) -> dict[str, str]:
    """Which input gets the question and which the answer; the rest stays open."""
    found = {}
    for each in evaluator.inputs:
        if set(each.usual) & set(registry.ANSWERS):
            found[each.name] = "answer"
        elif each.name == "question":
            found[each.name] = "question"
    return found


def _measure(at: str, name: str, given: object) -> LiveMeasure:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(field=at, value=name, wanted="a name of 1 to 100 letters, digits and ._:-")
    wanted = _mapping(at, given, _MEASURE_KEYS)
    kind = wanted.get("evaluator", name)
    if not isinstance(kind, str):
        raise InvalidInput(field=f"{at}.evaluator", value=kind, wanted="the name of an evaluator")
    evaluator = registry.find(kind, field=f"{at}.evaluator")
    missing = [each.name for each in evaluator.inputs if each.required and each.name not in inputs_of(evaluator)]
    if missing:
        needed = f"an evaluator of question and answer alone; {kind} needs {', '.join(missing)} too"
        raise InvalidInput(field=f"{at}.evaluator", value=kind, wanted=needed)
    options = wanted.get("options", {})
    if not isinstance(options, Mapping):
        raise InvalidInput(field=f"{at}.options", value=options, wanted="a mapping of the evaluator's options")
    for key in options:
        if key not in evaluator.options:
            known = ", ".join(evaluator.options) or "none"
            raise InvalidInput(field=f"{at}.options.{key}", value=options[key], wanted=f"one of its options: {known}")
    if evaluator.make_ask is None or evaluator.make_ask(options) is None:
        evaluator.make_score(options)  # says what is wrong with them
    measure = wanted.get("measure", "quality")
    if measure not in ("quality", "privacy"):
        raise InvalidInput(field=f"{at}.measure", value=measure, wanted="quality or privacy")
    scale = wanted.get("scale", [0, 1])
    if not isinstance(scale, list) or len(scale) != 2 or not all(map(_is_number, scale)) or scale[0] >= scale[1]:
        raise InvalidInput(field=f"{at}.scale", value=scale, wanted="two numbers, the lower first, such as [1, 5]")
    passes_from = _number(f"{at}.passes_from", wanted.get("passes_from", 0.5), 0, 1)
    low, high = map(float, scale)
    return LiveMeasure(name, kind, dict(options), cast(Any, measure), passes_from, low, high)


def _mapping(at: str, given: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInput(field=at, value=given, wanted=f"a mapping with {', '.join(known)}")
    for key in given:
        if key not in known:
            raise InvalidInput(field=f"{at}.{key}", value=given[key], wanted=f"one of the keys {', '.join(known)}")
    return given


def _number(at: str, value: object, least: float, most: float) -> float:
    if not _is_number(value) or not least <= cast(float, value) <= most:
        raise InvalidInput(field=at, value=value, wanted=f"a number from {least:g} to {most:g}")
    return float(cast(float, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
