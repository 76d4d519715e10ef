"""Find themes in what people said, name them, and know them again next week."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from opsloop.improvement.themes import clusters, shared_words
from opsloop.improvement.themes.models import Example, Method, Said, Theme, Themes
from opsloop.rag.text import words as text_words

LEAST_TEXTS = 8
"""Fewer are read sooner than grouped."""
LEAST_OF_THEME = 3
MOST_TEXTS = 1_000
"""Of more, these are looked at, evenly spread: time grows with the square of their number."""
MOST_CHARS = 4_000
EXAMPLES, NAME_TERMS, KEPT_TERMS = 3, 3, 30
SAME = 0.25
"""Themes of two weeks whose weights of terms have this cosine are the same one."""


def find(said: Sequence[Said], *, before: Themes | None = None, new_id: Callable[[], str]) -> Themes:
    """Themes, the largest first.

    Args:
        before: those of the week before; a theme that is found again keeps its id and name.
        new_id: of a theme that was not there before.
    """
    taken = _spread(said)
    documents = [_terms(each.text) for each in taken]
    labels, method = _grouped(documents)
    members: dict[int, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        if label is not None:
            members[label].append(at)
    groups = sorted((each for each in members.values() if len(each) >= LEAST_OF_THEME), key=lambda each: -len(each))
    weights = _distinctive(documents, groups)
    known = _matched(weights, before.themes if before is not None else ())
    spelling = _spelling(taken)
    themes = []
    for number, group in enumerate(groups):
        same = known.get(number)
        themes.append(
            Theme(
                id=same.id if same is not None else new_id(),
                name=same.name if same is not None else _name(weights[number], spelling),
                size=len(group),
                before=same.size if same is not None else None,
                examples=tuple(
                    Example(taken[at].about, taken[at].kind) for at in _central(documents, group, weights[number])
                ),
                weights=dict(list(weights[number].items())[:KEPT_TERMS]),
            )
        )
    return Themes(method, len(said), len(taken) - sum(len(each) for each in groups), tuple(themes))


def _terms(text: str) -> list[str]:
    """Without numbers: they make texts alike that only count something."""
    return [term for term in text_words.terms(text[:MOST_CHARS]) if not term.isdecimal()]


def _spread(said: Sequence[Said]) -> list[Said]:
    step = -(-len(said) // MOST_TEXTS) if said else 1
    return list(said[::step])


def _grouped(documents: Sequence[Sequence[str]]) -> tuple[list[int | None], Method]:
    if len(documents) < LEAST_TEXTS:
        return [None] * len(documents), "none"
    try:
        return clusters.cluster(documents), "clusters"
    except ImportError:
        return shared_words.group(documents), "words"


def _distinctive(documents: Sequence[Sequence[str]], groups: Sequence[Sequence[int]]) -> list[dict[str, float]]:
    """Terms of each group by how much they set it apart, the most first.

    The share of a group's texts that have the term, times the log of how much larger that is than among all: each
    group as one document (M. Grootendorst, BERTopic, arXiv:2203.05794 (2022), section 3.3), counted by texts so that
    one long text does not name its group.
    """
    everywhere = Counter(term for document in documents for term in set(document))
    found = []
    for group in groups:
        here = Counter(term for at in group for term in set(documents[at]))
        weighed = {
            term: count / len(group) * math.log(1 + (count / len(group)) / (everywhere[term] / len(documents)))
            for term, count in here.items()
            if count >= 2
        }
        found.append(dict(sorted(weighed.items(), key=lambda each: (-each[1], each[0]))))
    return found


def _matched(weights: Sequence[Mapping[str, float]], before: Sequence[Theme]) -> dict[int, Theme]:
    """For groups of now the theme of before that they are, the most alike first; each is taken once."""
    alike = sorted(
        ((_cosine(mine, theirs.weights), number, at) for number, mine in enumerate(weights)
         for at, theirs in enumerate(before)),
        reverse=True,
    )  # fmt: skip
    found: dict[int, Theme] = {}
    taken: set[int] = set()
    for likeness, number, at in alike:
        if likeness >= SAME and number not in found and at not in taken:
            found[number] = before[at]
            taken.add(at)
    return found


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    top = dict(list(one.items())[:KEPT_TERMS])
    product = sum(weight * other.get(term, 0.0) for term, weight in top.items())
    lengths = math.hypot(*top.values()) * math.hypot(*other.values())
    return product / lengths if lengths else 0.0


def _spelling(said: Sequence[Said]) -> dict[str, str]:
    """How a term is written most often."""
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for each in said:
        for word in text_words.words(each.text[:MOST_CHARS]):
            for term in text_words.terms(word):
                forms[term][word.casefold() if len(text_words.terms(word)) == 1 else term] += 1
    return {term: max(counts, key=lambda form: (counts[form], form)) for term, counts in forms.items()}


def _name(weights: Mapping[str, float], spelling: Mapping[str, str]) -> str:
    chosen = list(dict.fromkeys(spelling.get(term, term)[:40] for term in weights))[:NAME_TERMS]
    return ", ".join(chosen) or "mixed"


def _central(documents: Sequence[Sequence[str]], group: Sequence[int], weights: Mapping[str, float]) -> list[int]:
    """The texts that say most of what sets the group apart for their length."""

    def centrality(at: int) -> float:
        terms = set(documents[at])
        return sum(weights.get(term, 0.0) for term in terms) / math.sqrt(max(1, len(terms)))

    return sorted(group, key=lambda at: (-centrality(at), at))[:EXAMPLES]
