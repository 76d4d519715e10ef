"""The noun of this package: something that must hold of a dataset's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold: a kind such as `between`, with its options.

    `mostly` is the share of the rows, of those it speaks of, that must meet it. `meta` is kept for whoever wrote it.
    """

    expect: str
    options: Mapping[str, Any]
    mostly: float = 1.0
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a sentence names it: `between score (min 0, max 1)`."""
        options = dict(self.options)
        column = options.pop("column", "")
        mostly = {} if self.mostly == 1.0 else {"mostly": self.mostly}
        more = ", ".join(f"{name} {_short(value)}" for name, value in (options | mostly).items() if value is not False)
        return " ".join(filter(None, (self.expect, str(column), f"({more})" if more else "")))

    def declared(self) -> dict[str, Any]:
        """As it stands in a file."""
        mostly = {} if self.mostly == 1.0 else {"mostly": self.mostly}
        meta = {"meta": dict(self.meta)} if self.meta else {}
        return {"expect": self.expect, **self.options, **mostly, **meta}


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(map(str, value[:6]))
        return f"[{shown}{', …' if len(value) > 6 else ''}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
