"""The known kinds. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import opsloop.datasets.expectations.kinds as package
from opsloop.datasets.expectations.check import Check, Table
from opsloop.datasets.expectations.options import Option

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The same expectation in Great Expectations.

    Args:
        type: its name there, such as `expect_column_values_to_be_between`.
        knows: the arguments that `take` reads; another one would go unheard.
        take: its arguments as our options; None when they ask for something that this kind cannot.
        give: our options as its arguments; None when another counterpart has to say it.
    """

    type: str
    knows: tuple[str, ...]
    take: Callable[[Options], dict[str, Any] | None]
    give: Callable[[Options], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of expectation.

    Args:
        check: what it asks of a table that has the columns it names.
        columns: the columns it names, all of which must be there; none where their absence is the answer.
        has_mostly: whether it is about rows, of which a share may break it.
        lacks: what is wanted besides the options one by one, such as a range with an end; None when nothing is.
    """

    name: str
    options: tuple[Option, ...]
    check: Callable[[Options, Table], Check]
    columns: Callable[[Options], Sequence[str]]
    counterparts: tuple[Counterpart, ...]
    has_mostly: bool = True
    lacks: Callable[[Options], str | None] = lambda options: None


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    _KINDS[kind.name] = kind
    return kind


@cache
def known() -> dict[str, Kind]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_KINDS.items()))


def renamed(type: str, names: Mapping[str, str], **implied: Any) -> Counterpart:
    """A counterpart that differs in names alone.

    Args:
        names: theirs to ours.
        implied: their arguments that have one value only here.
    """

    def take(arguments: Options) -> dict[str, Any] | None:
        if any(name in arguments and arguments[name] != value for name, value in implied.items()):
            return None
        return {names[name]: value for name, value in arguments.items() if name in names and value is not None}

    def give(options: Options) -> dict[str, Any]:
        return {theirs: options[ours] for theirs, ours in names.items() if ours in options}

    return Counterpart(type, (*names, *implied), take, give)


def no_give(options: Options) -> None:
    """For counterparts that are read and never written: another one says the same."""


def one_column(options: Options) -> Sequence[str]:
    return (options["column"],)


def needs_an_end(options: Options) -> str | None:
    return None if {"min", "max"} & options.keys() else "min, max or both"


RANGE = {"min_value": "min", "max_value": "max", "strict_min": "strict_min", "strict_max": "strict_max"}
