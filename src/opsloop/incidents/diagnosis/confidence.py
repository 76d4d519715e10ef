"""How often an answer like this is right: a logistic curve over the score of its first line.

Chosen on the development parts of the logs that `benchmarks/diagnosis.py` reads, which prints its reliability table.
"""

from __future__ import annotations

import math

# Of the first line's score above 8, and of its distance to the first line of another form.
BASE, BY_SCORE, BY_MARGIN = 0.2, 0.45, 0.25
LOWEST, HIGHEST = 0.05, 0.95
CONFIRMED, LIKELY = 0.75, 0.4


def of(score: float, margin: float) -> float:
    """Args: score: of the best line, 0 to 13; margin: how far the best line of another form is behind, >= 0."""
    curve = 1 / (1 + math.exp(-(BASE + BY_SCORE * (score - 8) + BY_MARGIN * min(margin, 3))))
    return round(min(HIGHEST, max(LOWEST, curve)), 2)
