"""The figures of a text, and whether each of them stands in its source.

A figure is a number as people write it, `4,812` or `-3.1` or `96.1 %`; a month or a day (`2025-06`, `2025-06-30`) is
one figure and equals only itself; in a source it also brings its year and its day, so that `30 June 2025` stands there.
Signs do not count, because `fell by 3.1` says what -3.1 is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation

_FIGURE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?(?!\d)|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number without its sign; or a date, whose `value` is None."""

    written: str
    value: Decimal | None

    def stands_for(self, exact: Figure) -> bool:
        """Whether this is the other one, or the other one rounded to as many decimals as this one has."""
        if self.value is None or exact.value is None:
            return self.written == exact.written
        try:
            return any(
                self.value == exact.value.quantize(Decimal(1).scaleb(_exponent(self.value)), rounding=rule)
                for rule in (ROUND_HALF_UP, ROUND_HALF_EVEN)
            )
        except InvalidOperation:  # more digits than a decimal holds
            return self.value == exact.value


def figures_in(given: object) -> Iterator[Figure]:
    """The figures of a text, or of everything in a list or mapping; keys are names and hold none."""
    if isinstance(given, Mapping):
        for each in given.values():
            yield from figures_in(each)
    elif isinstance(given, list | tuple):
        for each in given:
            yield from figures_in(each)
    elif isinstance(given, str | int | float) and not isinstance(given, bool):
        written = given if isinstance(given, str) else f"{Decimal(str(given)):f}"
        yield from (_figure(each) for each in _FIGURE.findall(written))


def are_held(statement: str, source: object) -> bool:
    """Whether every figure of a statement stands in its source, rounded or not; also when it has none."""
    known = [part for each in figures_in(source) for part in parts(each)]
    return all(any(each.stands_for(one) for one in known) for each in figures_in(statement))


def _figure(written: str) -> Figure:
    plain = written.replace(",", "")
    return Figure(plain, None if "-" in plain else Decimal(plain))


def parts(figure: Figure) -> Iterator[Figure]:
    yield figure
    if figure.value is None:
        year, _, *day = figure.written.split("-")
        yield from (_figure(each) for each in (year, *day))


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # a figure is finite
    return exponent
