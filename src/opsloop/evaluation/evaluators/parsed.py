"""JSON and numbers as flows give them: as values, or written in a text."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore

_FENCED = re.compile(r"\A```(?:json)?[ \t]*\r?\n(?P<body>.*?)\r?\n?```\Z", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(
    r"[$€£]?\s*(?P<sign>[-+\u2212]?)\s*[$€£]?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+)(?P<exponent>[eE][-+]?\d{1,3})?\s*%?"
)
JSON_LIMIT = 10_000_000


class NoJson(ValueError):
    """A text is no JSON; the message says where."""


def json_of(value: Any) -> Any:
    """A value as it is; a text as the JSON in it, which may stand in a fence of Markdown. Raises: NoJson."""
    if not isinstance(value, str):
        return value
    stripped = value.strip()
    if len(stripped) > JSON_LIMIT:
        raise NoJson(f"{len(stripped):,} characters; JSON is read up to {JSON_LIMIT:,}")
    found = _FENCED.match(stripped)
    try:
        return json.loads(found["body"] if found else stripped, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NoJson(str(error)) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def number_of(value: Any, name: str) -> float:
    """A finite number, or a text that is one and no more: `4,812`, `$3.10`, `-3.1 %`, `1e-3`. Raises: CannotScore."""
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value.strip())) is not None:
        sign = "-" if found["sign"] in ("-", "\u2212") else ""
        value = float(f"{sign}{found['digits'].replace(',', '')}{found['exponent'] or ''}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CannotScore(f"{name} is {shown(value)}; wanted a finite number, or a text that is one")
    try:
        return float(value)
    except OverflowError:
        raise CannotScore(f"{name} is a whole number too large to measure") from None
