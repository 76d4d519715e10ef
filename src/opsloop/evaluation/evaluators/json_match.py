"""How many of the wanted fields a JSON answer has with the wanted values.

A field is a value at the end of a path: of `{"order": {"id": 7, "items": ["a", "b"]}}` those are `order.id`,
`order.items[0]` and `order.items[1]`. Numbers are equal whatever their form (1 and 1.0), texts when they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.options import number, texts, yes_or_no
from opsloop.evaluation.evaluators.parsed import NoJson, json_of
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTHS, Evaluator, Input, Score, register

Fields = dict[str, Any]


def json_match(options: Mapping[str, Any]) -> Score:
    """The share of the wanted fields that are equal; 0 for an answer that is no JSON.

    Options: `fields`, the paths that count, with all below them; `all`: 1 only when every one is equal; `strict`:
    fields that nobody wants count as wrong ones; `tolerance`: how far numbers may be apart, absolute.
    """
    paths, is_all, is_strict = texts(options, "fields"), yes_or_no(options, "all"), yes_or_no(options, "strict")
    tolerance = number(options, "tolerance", 0.0, least=0.0, most=1e300)

    def score(values: Mapping[str, Any]) -> float | None:
        try:
            truth = json_of(values["truth"])
        except NoJson as error:
            raise CannotScore(f"truth is {shown(values['truth'])}; wanted JSON ({error})") from None
        wanted = _chosen(dict(fields_of(truth)), paths)
        if not wanted:
            return None
        try:
            found = _chosen(dict(fields_of(json_of(values["answer"]))), paths)
        except NoJson:
            return 0.0
        equal = sum(path in found and _equal(found[path], value, tolerance) for path, value in wanted.items())
        counted = len(wanted.keys() | found.keys()) if is_strict else len(wanted)
        return float(equal == counted) if is_all else equal / counted

    return score


def fields_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The paths of a value's fields and what is there; an empty list or mapping is a value of its own."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from fields_of(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for place, each in enumerate(value):
            yield from fields_of(each, f"{path}[{place}]")
    else:
        yield path, value


def _chosen(fields: Fields, paths: list[str]) -> Fields:
    if not paths:
        return fields
    below = tuple(f"{path}{mark}" for path in paths for mark in ".[")
    return {path: value for path, value in fields.items() if path in paths or path.startswith(below)}


def _equal(found: Any, wanted: Any, tolerance: float) -> bool:
    if _is_number(found) and _is_number(wanted):
        return bool(abs(found - wanted) <= tolerance)
    return type(found) is type(wanted) and bool(found == wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TRUTH = Input("truth", ("data.truth_json", "data.expected_json", *TRUTHS))
register(Evaluator("json_match", (ANSWER, _TRUTH), json_match, options=("fields", "all", "strict", "tolerance")))
