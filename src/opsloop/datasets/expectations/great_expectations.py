"""Suites of Great Expectations: files of 0.18 (`expectation_type`) and 1.x (`type`) in, files of 1.x out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.datasets.expectations.declared import expectation
from opsloop.datasets.expectations.errors import ExpectationInvalid
from opsloop.datasets.expectations.kinds.registry import Counterpart, known
from opsloop.datasets.expectations.models import Expectation

# Arguments that say how a result is told, not what is expected.
_ABOUT_RESULTS = (
    "mostly",
    "result_format",
    "include_config",
    "catch_exceptions",
    "batch_id",
    "auto",
    "profiler_config",
)
VERSION = "1.0.0"


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite that was read. `skipped` names the types that are not known here, with their places."""

    name: str
    expectations: tuple[Expectation, ...]
    skipped: tuple[str, ...]


def is_suite(values: object) -> bool:
    """Whether a document is a suite of Great Expectations."""
    found = values.get("expectations") if isinstance(values, Mapping) else None
    return isinstance(found, list) and all(
        isinstance(each, Mapping) and ("expectation_type" in each or "type" in each) for each in found
    )


def read(values: Mapping[str, Any], *, skip_unknown: bool = False) -> Suite:
    """The expectations of a suite.

    Raises: ExpectationInvalid naming what cannot be taken over, all of it at once, unless `skip_unknown`.
    """
    taken: list[Expectation] = []
    unknown: list[str] = []
    for place, each in enumerate(values["expectations"]):
        try:
            found = _taken(each, f"expectations[{place}]")
        except ExpectationInvalid as error:  # such as an argument that is given only when the suite runs
            found, why = None, f" ({error.sentence})"
        else:
            why = f"{_unheard(each)} at expectations[{place}]"
        if found is None:
            unknown.append(f"{_type(each)}{why}")
        else:
            taken.append(found)
    if unknown and not skip_unknown:
        raise ExpectationInvalid(
            "suite",
            f"expectations that are known here, and these are not: {', '.join(unknown)}; "
            "`--skip-unknown` takes the others",
        )
    name = values.get("name") or values.get("expectation_suite_name") or ""
    return Suite(str(name), tuple(taken), tuple(unknown))


def written(name: str, expectations: Sequence[Expectation]) -> dict[str, Any]:
    """A suite that Great Expectations 1.x loads."""
    return {
        "name": name,
        "id": None,
        "expectations": [_given(each) for each in expectations],
        "meta": {"great_expectations_version": VERSION},
        "notes": None,
    }


def _type(each: Mapping[str, Any]) -> str:
    return str(each.get("type") or each.get("expectation_type"))


def _taken(each: Mapping[str, Any], at: str) -> Expectation | None:
    arguments = {name: value for name, value in dict(each.get("kwargs") or {}).items() if value is not None}
    mostly = arguments.get("mostly", 1.0)
    arguments = {name: value for name, value in arguments.items() if name not in _ABOUT_RESULTS}
    for kind, counterpart in _counterparts(_type(each)):
        # One that is not known here, such as a condition on rows, would check something else when it is left out.
        options = counterpart.take(arguments) if set(arguments) <= set(counterpart.knows) else None
        if options is not None:
            # A mostly on what is not about rows says nothing there either.
            share = {"mostly": mostly} if known()[kind].has_mostly else {}
            meta = {"meta": each["meta"]} if each.get("meta") else {}
            return expectation({"expect": kind, **options, **share, **meta}, at=at)
    return None


def _unheard(each: Mapping[str, Any]) -> str:
    """The arguments of a known type that nothing here reads, as a sentence names them."""
    known_here = {name for _, counterpart in _counterparts(_type(each)) for name in counterpart.knows}
    unheard = sorted(dict(each.get("kwargs") or {}).keys() - known_here - set(_ABOUT_RESULTS)) if known_here else []
    return f" with {', '.join(unheard)}" if unheard else ""


def _counterparts(type: str) -> list[tuple[str, Counterpart]]:
    return [(kind.name, each) for kind in known().values() for each in kind.counterparts if each.type == type]


def _given(each: Expectation) -> dict[str, Any]:
    for counterpart in known()[each.expect].counterparts:
        arguments = counterpart.give(each.options)
        if arguments is not None:
            mostly = {} if each.mostly == 1.0 else {"mostly": each.mostly}
            return {"type": counterpart.type, "kwargs": {**arguments, **mostly}, "meta": dict(each.meta)}
    raise AssertionError(f"{each.expect} has no counterpart")
