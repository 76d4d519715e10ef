"""The nouns of scoring live answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class LiveMeasure:
    """One evaluator, and what its figures mean as a score from 0 (bad) to 1 (good).

    Args:
        name: under which its scores are kept.
        measure: the objective that they are counted into.
        passes_from: a score of at least this is good.
        low, high: the evaluator's own scale; what is beyond counts as its end.
    """

    name: str
    evaluator: str
    options: Mapping[str, Any] = field(default_factory=dict)
    measure: Literal["quality", "privacy"] = "quality"
    passes_from: float = 0.5
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class Scoring:
    """Args: share: of the kept answers, 0 to 1; per_hour: of these at most so many; declared: as it was said."""

    endpoint: str
    measures: tuple[LiveMeasure, ...]
    share: float = 1.0
    per_hour: int = 120
    declared: Mapping[str, Any] = field(default_factory=dict)
