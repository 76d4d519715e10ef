"""How likely passages answer a question: a logistic regression on two features anyone can check by hand.

Fitted by log loss on the dev questions of azure_contoso (100 answerable, 25 not) and xquad_en (483, asked of a
collection with their article and of one without), each set and class weighing the same.

Refusal AUROC: .91 on azure_contoso (.90 cross-validated), .97 on xquad_en, 1.00 on docs_qa against foreign questions, a
set it never saw. At a probability of .5 it answers 98 % and refuses 76 % on azure_contoso, 76 % and 99 % on xquad_en,
67 % and 100 % on docs_qa. More features (coverage by sentence and by passage, cosine, margin) moved none of these by
more than .01. The number of words in a question separates azure_contoso by the accident of how its questions were
written, and is left out on purpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both from 0 to 1, terms weighing by their rarity in the collection.

    Attributes:
        coverage: share of the question's terms in the best window.
        nearness: share of neighbouring terms of the question that stand near each other in the best passage.
    """

    coverage: float
    nearness: float


_INTERCEPT = -2.79
_COVERAGE = 3.93
_NEARNESS = 1.98


def support(evidence: Evidence) -> float:
    """Probability that the passages answer the question, 0-1; the classes taken as equally frequent."""
    logit = _INTERCEPT + _COVERAGE * evidence.coverage + _NEARNESS * evidence.nearness
    return round(1 / (1 + math.exp(-logit)), 4)
