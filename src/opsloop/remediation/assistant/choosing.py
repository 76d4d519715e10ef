"""Which texts speak of a question: the share of its words, by their rarity, that stand in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from opsloop.rag.models import DocumentId, Passage
from opsloop.rag.text.words import terms
from opsloop.remediation.assistant.models import Text

MOST = 8


def passages(question: str, texts: Sequence[Text]) -> list[Passage]:
    """The best of them as passages, the best first, with the rarity of each term of the question.

    Rarity is log(1 + n / (1 + n with the term)), the inverse document frequency of K. Sparck Jones, Journal of
    Documentation 28 (1972), smoothed.
    """
    asked = tuple(dict.fromkeys(terms(question)))
    held = [set(terms(f"{each.title}\n{each.text}")) for each in texts]
    weights = {term: math.log1p(len(texts) / (1 + sum(term in one for one in held))) for term in asked}
    scores = [sum(weight for term, weight in weights.items() if term in one) for one in held]
    best = max(scores, default=0.0)
    if best <= 0:
        return []
    order = sorted(range(len(texts)), key=lambda place: -scores[place])[:MOST]
    return [_passage(texts[place], scores[place] / best, weights) for place in order if scores[place] > 0]


def _passage(text: Text, score: float, weights: dict[str, float]) -> Passage:
    end = len(text.text)
    return Passage(
        document_id=DocumentId(text.id),
        filename=text.title,
        chunk=0,
        passage_id=None,
        heading=text.title,
        text=text.text,
        start=0,
        end=end,
        window_start=0,
        window_end=end,
        score=score,
        similarity=0.0,
        term_weights=weights,
    )
