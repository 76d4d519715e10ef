"""Which part a row belongs to: by a hash of what groups it, so that rows that are added move no other row.

The hash is SHA-256 over the seed and the row's group (or the whole row) as JSON; its first 48 bits are a place between
0 and 1. Equal rows, and rows of one group, are always in one part: nothing leaks from one to another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.datasets.engine import literal, quoted
from opsloop.datasets.preparation.errors import PreparationInvalid

HOLDOUT, REST = "holdout", "dev"
_OPTIONS = ("by", "seed")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_BITS = 48


@dataclass(frozen=True, slots=True)
class Split:
    """Args:
    shares: of each part, by their names; they sum to 1.
    by: columns whose values keep rows together; none: the whole row.
    """

    shares: tuple[tuple[str, float], ...]
    by: tuple[str, ...] = ()
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.shares)

    @classmethod
    def parse(cls, value: Any) -> Split:
        """`{train: 0.8, test: 0.2, by: conversation, seed: 7}`; `{holdout: 0.2}` keeps the rest as `dev`.

        Raises: PreparationInvalid.
        """
        if not isinstance(value, dict):
            raise PreparationInvalid(field="split", value=value, wanted="shares, such as {train: 0.8, test: 0.2}")
        shares = {name: _share(name, share) for name, share in value.items() if name not in _OPTIONS}
        if list(shares) == [HOLDOUT]:
            shares = {REST: 1 - shares[HOLDOUT], HOLDOUT: shares[HOLDOUT]}
        if len(shares) < 2 or abs(sum(shares.values()) - 1) > 1e-9:
            raise PreparationInvalid(field="split", value=value, wanted="shares of two parts or more that sum to 1")
        # By name: a database may give a mapping back in another order, and a row must not change its part for that.
        return cls(tuple(sorted(shares.items())), _by(value.get("by")), _seed(value.get("seed", 0)))

    def part_of(self, columns: Sequence[str]) -> str:
        """SQL that gives the number of a row's part, from 0."""
        names = self.by or columns
        values = ", ".join(f"{quoted(name)}::VARCHAR" for name in names)
        text = f"{literal(str(self.seed))} || to_json([{values}])::VARCHAR"
        place = f"(('0x' || sha256({text})[1:{_BITS // 4}])::BIGINT / {2**_BITS}.0)"
        bounds, upper = [], 0.0
        for number, (_, share) in enumerate(self.shares[:-1]):
            upper += share
            bounds.append(f"WHEN {place} < {upper!r} THEN {number}")
        return f"CASE {' '.join(bounds)} ELSE {len(self.shares) - 1} END"


def _share(name: Any, share: Any) -> float:
    if not isinstance(name, str) or not _PART.fullmatch(name):
        raise PreparationInvalid(field="split", value=name, wanted="parts named by letters, digits and _-")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise PreparationInvalid(field=f"split.{name}", value=share, wanted="a share between 0 and 1")
    return float(share)


def _by(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if found is None:
        return ()
    if not isinstance(found, list) or not found or not all(isinstance(each, str) and each for each in found):
        raise PreparationInvalid(field="split.by", value=value, wanted="a column, or a list of columns")
    return tuple(found)


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PreparationInvalid(field="split.seed", value=value, wanted="a whole number")
    return value
