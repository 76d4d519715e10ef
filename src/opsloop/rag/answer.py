"""Answer from passages by quoting them, or abstain. Pure: a question and passages in, an answer out.

The best sentences are chosen by how much of the question they cover, rare words counting more, and by what the passage
they stand in was worth; a question for a number or a year prefers sentences that hold one. Nothing is written that does
not stand in a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsloop.rag._support import Evidence, support
from opsloop.rag.models import Answer, Citation, Passage
from opsloop.rag.text import sentences, terms, words

ENGINE = "extractive"
ABSTENTION = "The documents do not answer this question."
MIN_SUPPORT = 0.5
MAX_SENTENCES = 3
# Further sentences must be worth this share of the best one.
_WORTH_ADDING = 0.6


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; `start` and `end` are offsets into the document."""

    passage: Passage
    start: int
    end: int
    text: str
    coverage: float
    score: float


def answer(
    question: str,
    passages: Sequence[Passage],
    *,
    min_support: float = MIN_SUPPORT,
    max_sentences: int = MAX_SENTENCES,
) -> Answer:
    """The best supporting sentences in the order of the documents, each with its citation.

    Args:
        min_support: probability below which the answer is an abstention, 0-1.
    """
    weights = term_weights(question, passages)
    ranked = ranked_sentences(question, passages, weights)
    probability = support(evidence(weights, passages, ranked))
    if not ranked or probability < min_support:
        return Answer(ABSTENTION, (), abstained=True, engine=ENGINE, support=probability)
    chosen = _chosen(ranked, max_sentences)
    citations = tuple(_citation(sentence, probability, ranked[0].score) for sentence in chosen)
    text = " ".join(citation.quote for citation in citations)
    return Answer(text, citations, abstained=False, engine=ENGINE, support=probability)


def term_weights(question: str, passages: Sequence[Passage]) -> dict[str, float]:
    """Each term of the question with its rarity in the collection; one that no search weighed counts as the rarest."""
    known: dict[str, float] = {}
    for passage in passages:
        known.update(passage.term_weights)
    rarest = max(known.values(), default=1.0)
    return {term: known.get(term, rarest) for term in terms(question)}


def ranked_sentences(question: str, passages: Sequence[Passage], weights: Mapping[str, float]) -> list[Sentence]:
    """All sentences of the passages, the best first."""
    wanted = _wanted(question)
    found = [sentence for passage in passages for sentence in _scored(passage, weights, wanted)]
    return sorted(found, key=lambda sentence: -sentence.score)


def evidence(weights: Mapping[str, float], passages: Sequence[Passage], ranked: Sequence[Sentence]) -> Evidence:
    """What speaks for the passages answering the question."""
    if not ranked or not weights:
        return Evidence(0.0, 0.0, 0.0, 0.0)
    best = ranked[0]
    covered = [coverage(weights, set(terms(f"{passage.heading} {passage.text}"))) for passage in passages]
    return Evidence(
        sentence=best.coverage,
        passage=max(covered),
        similarity=max(passage.similarity for passage in passages),
        together=coverage(weights, {term for passage in passages for term in terms(passage.text)}),
    )


def coverage(weights: Mapping[str, float], found: set[str]) -> float:
    """The share of the question's weight that stands in `found`, 0-1."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in found) / total if total else 0.0


_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million|half)\b", re.I)
_TIME = re.compile(
    r"\b1\d{3}\b|\b20\d{2}\b|\b(?:century|January|February|March|April|June|July|August|September|October|November|December)\b"
)
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")
_KINDS = (
    (re.compile(r"\bhow (?:many|much|long|old|far|tall|large|big|high|often)\b", re.I), _NUMBER),
    (re.compile(r"\bwhat (?:percent|number|age)", re.I), _NUMBER),
    (re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b", re.I), _TIME),
    (re.compile(r"\bwho(?:m|se)?\b|\bwhere\b", re.I), _NAME),
)


def _wanted(question: str) -> re.Pattern[str] | None:
    """What an answer to this kind of question is likely to hold."""
    return next((holds for asks, holds in _KINDS if asks.search(question)), None)


def _scored(passage: Passage, weights: Mapping[str, float], wanted: re.Pattern[str] | None) -> Iterable[Sentence]:
    before = 0.0
    for span in sentences(passage.text):
        text = passage.text[span.start : span.end]
        own = coverage(weights, set(terms(text)))
        if len(words(text)) >= 3:
            bonus = 0.1 if wanted is not None and wanted.search(text) else 0.0
            score = own + 0.15 * before + bonus + 0.2 * passage.score
            yield Sentence(passage, passage.start + span.start, passage.start + span.end, text, own, score)
        before = own


def _chosen(ranked: Sequence[Sentence], most: int) -> list[Sentence]:
    """The best and those nearly as good, without repeats, in reading order within a document, best document first."""
    chosen: list[Sentence] = []
    for sentence in ranked:
        if len(chosen) == most or sentence.score < _WORTH_ADDING * ranked[0].score:
            break
        if all(sentence.text != other.text for other in chosen):
            chosen.append(sentence)
    documents = list(dict.fromkeys(sentence.passage.document_id for sentence in chosen))
    return sorted(chosen, key=lambda sentence: (documents.index(sentence.passage.document_id), sentence.start))


def _citation(sentence: Sentence, probability: float, best_score: float) -> Citation:
    return Citation(
        document_id=sentence.passage.document_id,
        filename=sentence.passage.filename,
        chunk=sentence.passage.chunk,
        quote=sentence.text,
        start=sentence.start,
        end=sentence.end,
        score=round(probability * sentence.score / best_score, 4),
    )
