"""How well a collection does on questions, from what it retrieved for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from opsloop.evaluation.evaluators.retrieval import ndcg, recall
from opsloop.evaluation.tuning.models import Quality, Question
from opsloop.rag.answering.quoting import MIN_SUPPORT
from opsloop.rag.text.words import count_words

READ_WORDS = 1_000
USUAL = MIN_SUPPORT


@dataclass(frozen=True, slots=True)
class Found:
    """What was retrieved for a question: ids without repeats, best first; texts, best first; the answer's support."""

    question: Question
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    support: float


def quality(found: Sequence[Found], min_support: float) -> Quality:
    answerable = [one for one in found if one.question.answerable]
    unanswerable = [one for one in found if one.question.answerable is False]
    judged = [one for one in found if one.question.is_measurable and one.question.relevant]
    with_gold = [one for one in found if one.question.is_measurable and one.question.answers]
    return Quality(
        questions=len(found),
        unanswerable=len(unanswerable),
        ndcg_at_10=_mean([ndcg(one.ids[:10], _grades(one), 10) for one in judged]),
        recall_at_5=_mean([recall(one.ids[:5], _grades(one)) for one in judged]),
        holds_gold=_mean([holds_gold(one) for one in with_gold]),
        right=right(answerable, unanswerable, min_support),
        auroc=auroc([one.support for one in answerable], [one.support for one in unanswerable]),
    )


def retrieval(found: Sequence[Found]) -> float:
    """One figure to choose by: the mean over questions of what each can say, nDCG@10 and whether the gold is held."""
    told = [_told(one) for one in found if one.question.is_measurable]
    return sum(told) / len(told) if told else 0.0


def _told(one: Found) -> float:
    parts = [ndcg(one.ids[:10], _grades(one), 10)] if one.question.relevant else []
    parts += [holds_gold(one)] if one.question.answers else []
    return sum(parts) / len(parts)


def holds_gold(one: Found) -> float:
    """1 when an answer stands in the first words that are retrieved."""
    left = READ_WORDS
    for text in one.texts:
        left -= count_words(text)
        if left < 0 and text is not one.texts[0]:
            return 0.0
        folded = _folded(text)
        if any(_folded(answer) in folded for answer in one.question.answers):
            return 1.0
    return 0.0


def right(answerable: Sequence[Found], unanswerable: Sequence[Found], min_support: float) -> float | None:
    """Mean of the share of the answerable that are answered and of the others that are refused."""
    if not answerable or not unanswerable:
        return None
    answered = sum(one.support >= min_support for one in answerable) / len(answerable)
    refused = sum(one.support < min_support for one in unanswerable) / len(unanswerable)
    return (answered + refused) / 2


def threshold(answerable: Sequence[Found], unanswerable: Sequence[Found]) -> float:
    """The least support that decides best between them; of equals, the one nearest to the usual."""
    seen = sorted({one.support for one in (*answerable, *unanswerable)})
    candidates = [USUAL, *((low + high) / 2 for low, high in pairwise(seen))]
    worths = [(right(answerable, unanswerable, each) or 0.0, -abs(each - USUAL), each) for each in candidates]
    return round(max(worths)[2], 4)


def auroc(having: Sequence[float], lacking: Sequence[float]) -> float | None:
    """Of all pairs, how often the one with an answer has more support; equals count half."""
    if not having or not lacking:
        return None
    before = sum((more > less) + (more == less) / 2 for more in having for less in lacking)
    return before / (len(having) * len(lacking))


def _grades(one: Found) -> Mapping[str, float]:
    return dict.fromkeys(one.question.relevant, 1.0)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
