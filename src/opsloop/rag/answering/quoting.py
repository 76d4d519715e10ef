"""Answer from passages by quoting them, or abstain. Pure: a question and passages in, an answer out.

Nothing is written that does not stand in a document. Nothing follows instructions inside documents; those in the usual
forms are not even quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from opsloop.core.errors import InvalidInput
from opsloop.rag.answering._answer_kind import AnswerKind, bonus, kind_of
from opsloop.rag.answering._support import Evidence, support
from opsloop.rag.models import Answer, Citation, Passage
from opsloop.rag.text.addressed import is_to_a_model
from opsloop.rag.text.inert import inert
from opsloop.rag.text.words import sentences, terms

ENGINE = "extractive"
ABSTENTION = "The documents do not answer this question."
# More likely than not; an abstention costs less than a wrong answer. What it gives on which set: `_support.py`.
MIN_SUPPORT = 0.5
MAX_SENTENCES = 3

# What a sentence is worth, in units of a fully covered question: a list-wise logistic fit on xquad_en's dev questions.
# The best sentence then holds the answer for .79 of them (cross-validated over articles), the best two for .88.
_BEFORE = 0.38
_PAIRS = 0.2
_PASSAGE = 0.7
# Further sentences must be worth this share of the best one.
_WORTH_ADDING = 0.7
# A term that a follow-up question brings along stands in the answer's passage more often than in its sentence.
_CARRIED = 0.3
# Terms this near to each other count as a phrase.
_NEAR = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its terms in order and their rarity in the collection."""

    text: str
    terms: tuple[str, ...]
    weights: Mapping[str, float]
    kind: AnswerKind | None

    def coverage(self, found: set[str]) -> float:
        """The share of the question's weight that stands in `found`, 0-1."""
        total = sum(self.weights.values())
        return sum(weight for term, weight in self.weights.items() if term in found) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence of a passage with its terms; `start` and `end` are offsets into the document."""

    passage: Passage
    text: str
    start: int
    end: int
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    sentence: Read
    score: float


def answer(
    question: str,
    passages: Sequence[Passage],
    *,
    carried: str = "",
    min_support: float = MIN_SUPPORT,
    max_sentences: int = MAX_SENTENCES,
) -> Answer:
    """The best supporting sentences in reading order, each with its citation; or an abstention.

    Args:
        carried: words of the conversation before that say what the question is about.
        min_support: probability below which the answer is an abstention, 0-1; 0 always answers when it can.
        max_sentences: how many sentences at most, >= 1.
    """
    if not 0 <= min_support <= 1:
        raise InvalidInput(field="min_support", value=min_support, wanted="a number from 0 to 1")
    if max_sentences < 1:
        raise InvalidInput(field="max_sentences", value=max_sentences, wanted="a whole number from 1")
    asked = asked_of(question, passages, carried)
    read = [tuple(_read(passage)) for passage in passages]
    probability = support(_evidence(asked, passages, read))
    ranked = rank_sentences(asked, read)
    if not ranked or probability < min_support:
        return Answer(ABSTENTION, (), abstained=True, engine=ENGINE, support=probability)
    chosen = _chosen(ranked, max_sentences)
    citations = tuple(_citation(found, probability, ranked[0].score) for found in chosen)
    text = " ".join(shown(citation) for citation in citations)
    return Answer(text, citations, abstained=False, engine=ENGINE, support=probability)


def shown(citation: Citation) -> str:
    """A quote as it may stand in an answer."""
    return inert(citation.quote)


def asked_of(question: str, passages: Sequence[Passage], carried: str = "") -> Asked:
    """The question, weighed by the search that found the passages; a term it did not weigh counts as the rarest."""
    known: dict[str, float] = {}
    for passage in passages:
        known.update(passage.term_weights)
    rarest = max(known.values(), default=1.0)
    kind = kind_of(question)
    # "How long" and "what year" are answered by a number and a date, not by repeating those words.
    ordered = tuple(terms(kind.asks.sub(" ", question) if kind is not None else question))
    weights = {term: _CARRIED * known.get(term, rarest) for term in terms(carried)}
    return Asked(question, ordered, weights | {term: known.get(term, rarest) for term in ordered}, kind)


def rank_sentences(asked: Asked, read: Sequence[Sequence[Read]]) -> list[Scored]:
    """The sentences of all passages that share a term with the question and speak to a reader, the best first."""
    found = [scored for one in read for scored in _scored(asked, one)]
    return sorted(found, key=lambda scored: -scored.score)


def _read(passage: Passage) -> Iterator[Read]:
    for span in sentences(passage.text):
        text = passage.text[span.start : span.end]
        yield Read(passage, text, passage.start + span.start, passage.start + span.end, tuple(terms(text)))


def _scored(asked: Asked, read: Sequence[Read]) -> Iterator[Scored]:
    """Sentences by what they cover, by what the sentence or heading before adds, and by their passage's rank."""
    pairs = set(pairwise(asked.terms))
    before = set(terms(read[0].passage.heading)) if read else set()
    for sentence in read:
        own = set(sentence.terms)
        covered = asked.coverage(own)
        if covered and len(own) > 1 and not is_to_a_model(sentence.text):
            together = len(pairs & set(pairwise(sentence.terms))) / max(1, len(pairs))
            worth = covered + _BEFORE * asked.coverage(before - own) + _PAIRS * together
            worth += bonus(asked.kind, asked.text, sentence.text) + _PASSAGE * sentence.passage.score
            yield Scored(sentence, worth)
        before = own


def _evidence(asked: Asked, passages: Sequence[Passage], read: Sequence[Sequence[Read]]) -> Evidence:
    """What speaks for the passages answering the question."""
    coverage = max(
        (asked.coverage(_window_terms(one, found)) for one, found in zip(passages, read, strict=True)), default=0
    )
    if len(asked.terms) < 2:
        return Evidence(coverage, coverage)
    return Evidence(coverage, max((_nearness(asked, found) for found in read), default=0.0))


def _window_terms(passage: Passage, read: Sequence[Read]) -> set[str]:
    inside = [one for one in read if one.start < passage.window_end and one.end > passage.window_start]
    return {term for one in inside for term in one.terms} | set(terms(passage.heading))


def _nearness(asked: Asked, read: Sequence[Read]) -> float:
    """The share of neighbouring question terms, by weight, that stand at most `_NEAR` terms apart."""
    if not read:
        return 0.0
    places: dict[str, list[int]] = {}
    ordered = [*terms(read[0].passage.heading), *(term for sentence in read for term in sentence.terms)]
    for place, term in enumerate(ordered):
        if term in asked.weights:
            places.setdefault(term, []).append(place)
    pairs = list(pairwise(asked.terms))
    weights = [asked.weights[left] + asked.weights[right] for left, right in pairs]
    near = [_are_near(places.get(left, []), places.get(right, [])) for left, right in pairs]
    return sum(weight for weight, holds in zip(weights, near, strict=True) if holds) / sum(weights)


def _are_near(left: Sequence[int], right: Sequence[int]) -> bool:
    there = {place + step for place in left for step in range(-_NEAR, _NEAR + 1)}
    return any(place in there for place in right)


def _chosen(ranked: Sequence[Scored], most: int) -> list[Scored]:
    """The best and those nearly as good, without repeats; best document first, in reading order within each."""
    chosen: list[Scored] = []
    for found in ranked:
        if len(chosen) == most or found.score < _WORTH_ADDING * ranked[0].score:
            break
        if all(found.sentence.text != other.sentence.text for other in chosen):
            chosen.append(found)
    documents = list(dict.fromkeys(found.sentence.passage.document_id for found in chosen))
    return sorted(chosen, key=lambda found: (documents.index(found.sentence.passage.document_id), found.sentence.start))


def _citation(found: Scored, probability: float, best: float) -> Citation:
    passage = found.sentence.passage
    return Citation(
        document_id=passage.document_id,
        filename=passage.filename,
        chunk=passage.chunk,
        quote=found.sentence.text,
        start=found.sentence.start,
        end=found.sentence.end,
        score=round(probability * found.score / best, 4),
        page=passage.page,
    )
