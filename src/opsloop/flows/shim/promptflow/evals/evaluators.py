"""`from promptflow.evals.evaluators import GroundednessEvaluator`, and its likes."""

from __future__ import annotations

from opsloop.flows.compat.evaluators import (
    CoherenceEvaluator,
    F1ScoreEvaluator,
    FluencyEvaluator,
    GroundednessEvaluator,
    RelevanceEvaluator,
    SimilarityEvaluator,
)

__all__ = [
    "CoherenceEvaluator",
    "F1ScoreEvaluator",
    "FluencyEvaluator",
    "GroundednessEvaluator",
    "RelevanceEvaluator",
    "SimilarityEvaluator",
]
