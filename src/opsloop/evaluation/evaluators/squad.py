"""SQuAD's comparison of an answer with the truth: normalised text, exact match and token F1.

Source: P. Rajpurkar et al., SQuAD: 100,000+ questions, EMNLP 2016, section 6.1 (lower case, no punctuation, no
articles); P. Rajpurkar et al., Know what you don't know, ACL 2018 (a question without an answer is right only when
nothing is answered: then both measures are 1, else 0).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWER, ANSWERABLE, TRUTH, Evaluator, register
from opsloop.evaluation.evaluators.values import flag, text, texts

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalised(answer: str) -> list[str]:
    """The words of an answer that are compared."""
    return _ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split()


def f1(answer: list[str], truth: list[str]) -> float:
    """Harmonic mean of the share of the answer's words in the truth and of the truth's in the answer."""
    if not answer or not truth:
        return float(answer == truth)
    common = sum((Counter(answer) & Counter(truth)).values())
    return 2.0 * common / (len(answer) + len(truth))


def token_f1(values: Mapping[str, Any]) -> float:
    return max(f1(_answer(values), truth) for truth in _truths(values))


def exact_match(values: Mapping[str, Any]) -> float:
    return float(_answer(values) in _truths(values))


def _answer(values: Mapping[str, Any]) -> list[str]:
    return [] if flag(values, "abstained") else normalised(text(values, "answer"))


def _truths(values: Mapping[str, Any]) -> list[list[str]]:
    if flag(values, "answerable") is False:
        return [[]]
    return [normalised(truth) for truth in texts(values, "truth")] or [[]]


_INPUTS = (ANSWER, TRUTH, ABSTAINED, ANSWERABLE)
register(Evaluator("token_f1", _INPUTS, lambda _: token_f1))
register(Evaluator("exact_match", _INPUTS, lambda _: exact_match))
