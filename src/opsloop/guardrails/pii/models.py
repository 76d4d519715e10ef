"""The noun of this package: something found in a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data or a secret at `text[start:end]`; it does not hold the value.

    `kind` is such as `email`; `confidence` in 0 to 1 says how sure form, checksum and the words before it make it.
    """

    kind: str
    start: int
    end: int
    confidence: float
