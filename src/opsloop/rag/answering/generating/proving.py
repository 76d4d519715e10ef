"""Whether quotes prove a sentence: rules about words, figures, names and denials.

A sentence is proved when the quotes and the headings above them hold three quarters of its content terms, every one of
its figures (rounded or not), every name and every web address, and when it denies what they deny. That refuses a
paraphrase in other words; it does not see that two names changed their roles (`A pays B`). Evaluations read what is
meant: `answer_support` with a judge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from opsloop.rag.text.figures import are_held
from opsloop.rag.text.inert import URL
from opsloop.rag.text.words import terms

LEAST_SHARE = 0.75

_NAME = re.compile(r"(?<!^)(?<![.!?:]\s)\b[A-Z][\w-]*")
_CLAUSE = re.compile(r"[,;:.!?()]\s|\b(?:but|although|while|whereas|except|and|or)\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|nobody|nothing|hardly)\b|n['\u2019]t\b", re.IGNORECASE
)


def are_proof(sentence: str, quotes: Sequence[str], headings: Sequence[str] = ()) -> bool:
    claimed = _said(sentence)
    held = {term for quote in (*quotes, *headings) for term in terms(quote)}
    if not claimed or len(claimed & held) < LEAST_SHARE * len(claimed):
        return False
    return (
        are_held(sentence, list(quotes))
        and all(set(terms(name)) <= held for name in _NAME.findall(sentence))
        and all(any(url in quote for quote in quotes) for url in URL.findall(sentence))
        and _denies_the_same(sentence, quotes)
    )


def share(sentence: str, quote: str) -> float:
    """How much of a sentence's terms a quote holds, 0-1."""
    claimed = _said(sentence)
    return len(claimed & set(terms(quote))) / len(claimed) if claimed else 0.0


def _said(sentence: str) -> set[str]:
    """Its content terms without its figures, which are compared as numbers."""
    return {term for term in terms(sentence) if not term.isdecimal()}


def _denies_the_same(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether the sentence is a denial exactly when all clauses are that hold most of its terms."""
    claimed = set(terms(sentence))
    clauses = [clause for quote in quotes for clause in _CLAUSE.split(quote)]
    shared = [len(claimed & set(terms(clause))) for clause in clauses]
    best = max(shared, default=0)
    denies = bool(_DENIAL.search(sentence))
    return all(
        bool(_DENIAL.search(clause)) == denies for clause, held in zip(clauses, shared, strict=True) if held == best
    )
