"""`from promptflow.evals.evaluators import GroundednessEvaluator`: measures of an answer, most a number of a model.

The names, arguments and keys are those of the package promptflow-evals; what the model is asked is our own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from opsloop.flows.compat.prompties import Prompty

_PROMPT = Path(__file__).with_name("score.prompty")
_NUMBER = re.compile(r"[1-5](?:\.\d+)?")
_WORD = re.compile(r"\w+")


class _Judged:
    """Asks a model for a number from 1 to 5.

    Args:
        model_config: which model, as promptflow's `AzureOpenAIModelConfiguration` says it.
    """

    key: str
    asked: str
    low: str
    high: str
    shows: tuple[str, ...]

    def __init__(self, model_config: Any) -> None:
        self._prompt = Prompty(_PROMPT, model={"configuration": model_config})

    def __call__(self, **given: Any) -> dict[str, float]:
        """Raises: ValueError when something to judge is missing."""
        if missing := [name for name in self.shows if given.get(name) in (None, "")]:
            raise ValueError(f"{type(self).__name__} needs {', '.join(missing)} as text")
        shown = {name: str(given[name]) for name in self.shows}
        said = self._prompt(asked=self.asked, low=self.low, high=self.high, shown=shown)
        found = _NUMBER.search(str(said))
        return {self.key: float(found.group()) if found is not None else math.nan}


class GroundednessEvaluator(_Judged):
    key = "gpt_groundedness"
    asked = "How well does the context support what the answer says?"
    low = "nothing of the answer stands in the context, or the context says otherwise"
    high = "everything in the answer stands in the context"
    shows = ("context", "answer")


class RelevanceEvaluator(_Judged):
    key = "gpt_relevance"
    asked = "How well does the answer, given the context, meet what the question asks?"
    low = "it is about something else"
    high = "it answers all of the question and nothing beside it"
    shows = ("question", "context", "answer")


class CoherenceEvaluator(_Judged):
    key = "gpt_coherence"
    asked = "How well do the sentences of the answer to this question hang together?"
    low = "they do not belong together"
    high = "they follow from each other and read as one"
    shows = ("question", "answer")


class FluencyEvaluator(_Judged):
    key = "gpt_fluency"
    asked = "How well is the answer to this question written, whatever it says?"
    low = "it is no language that people write"
    high = "a careful writer could have written it"
    shows = ("question", "answer")


class SimilarityEvaluator(_Judged):
    key = "gpt_similarity"
    asked = "How much does the answer to this question say the same as the ground truth?"
    low = "they say different things"
    high = "they say the same"
    shows = ("question", "answer", "ground_truth")


class F1ScoreEvaluator:
    """The F1 of the words that answer and ground truth share."""

    def __call__(self, *, answer: str, ground_truth: str, **_: Any) -> dict[str, float]:
        ours, theirs = (Counter(_WORD.findall(text.lower())) for text in (answer, ground_truth))
        shared = sum((ours & theirs).values())
        return {"f1_score": 2 * shared / ((ours.total() + theirs.total()) or 1)}
