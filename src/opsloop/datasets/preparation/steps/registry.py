"""The known steps. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import opsloop.datasets.preparation.steps as package
from opsloop.datasets.preparation.errors import PreparationInvalid
from opsloop.datasets.preparation.rows import Rows

Apply = Callable[[Rows], None]
# Field and value as declared to what is done to the rows. Raises: PreparationInvalid.
Parse = Callable[[str, Any], Apply]
_STEPS: dict[str, Parse] = {}


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it was declared; `at` is its field, such as `clean[2].filter`."""

    name: str
    at: str
    apply: Apply


def step(name: str) -> Callable[[Parse], Parse]:
    """Register a step by the word that declares it."""

    def register(parse: Parse) -> Parse:
        _STEPS[name] = parse
        return parse

    return register


@cache
def known() -> dict[str, Parse]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_STEPS.items()))


def parse(at: str, name: str, wanted: Any) -> Step:
    """Raises: PreparationInvalid."""
    if name not in known():
        near = get_close_matches(name, list(known()), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise PreparationInvalid(field=at, value=name, wanted=f"one of {', '.join(known())}{hint}")
    field = f"{at}.{name}"
    return Step(name, field, known()[name](field, wanted))


def names(at: str, value: Any) -> tuple[str, ...]:
    """A list of columns, or one. Raises: PreparationInvalid."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not found or not all(isinstance(each, str) and each for each in found):
        raise PreparationInvalid(field=at, value=value, wanted="a list of columns such as [question]")
    return tuple(dict.fromkeys(found))


def text(at: str, value: Any) -> str:
    """Raises: PreparationInvalid."""
    if not isinstance(value, str) or not value.strip():
        raise PreparationInvalid(field=at, value=value, wanted="text")
    return value
