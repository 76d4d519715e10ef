"""Options of an evaluator in the form it needs, or ExperimentInvalid naming the option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.evaluation.errors import ExperimentInvalid


def yes_or_no(options: Mapping[str, Any], name: str, default: bool = False) -> bool:
    value = options.get(name, default)
    if not isinstance(value, bool):
        raise ExperimentInvalid(f"options.{name}", "true or false", value=value)
    return value


def whole(options: Mapping[str, Any], name: str, default: int, *, least: int = 1, most: int = 10_000) -> int:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ExperimentInvalid(f"options.{name}", f"a whole number from {least} to {most:,}", value=value)
    return value


def number(options: Mapping[str, Any], name: str, default: float, *, least: float, most: float) -> float:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ExperimentInvalid(f"options.{name}", f"a number from {least:g} to {most:g}", value=value)
    return float(value)


def one_of(options: Mapping[str, Any], name: str, known: Sequence[str]) -> str:
    """The first is the default."""
    value = options.get(name, known[0])
    if value not in known:
        raise ExperimentInvalid(f"options.{name}", f"one of {', '.join(known)}", known=known, value=value)
    return str(value)


def text_or_none(options: Mapping[str, Any], name: str) -> str | None:
    value = options.get(name)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise ExperimentInvalid(f"options.{name}", "text", value=value)
    return value


def texts(options: Mapping[str, Any], name: str) -> list[str]:
    value = options.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise ExperimentInvalid(f"options.{name}", "a list of texts", value=value)
    return value
