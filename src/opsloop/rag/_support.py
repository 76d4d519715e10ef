"""How likely passages answer a question: a logistic regression with four features."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """Each from 0 to 1, coverage weighted by the rarity of the question's terms.

    Attributes:
        sentence: coverage of the question by the best sentence.
        passage: by the best passage.
        similarity: cosine of the best window.
        together: coverage by all passages together.
    """

    sentence: float
    passage: float
    similarity: float
    together: float


_INTERCEPT = -4.0
_WEIGHTS = (2.0, 3.0, 1.0, 1.0)


def support(evidence: Evidence) -> float:
    """Probability that the passages answer the question, 0-1."""
    values = (evidence.sentence, evidence.passage, evidence.similarity, evidence.together)
    logit = _INTERCEPT + sum(weight * value for weight, value in zip(_WEIGHTS, values, strict=True))
    return round(1 / (1 + math.exp(-logit)), 4)
