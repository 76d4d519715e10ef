"""When passages support a statement: the offline rule that answer_support and the citation measures share.

A statement is supported when the passages together hold `threshold` of its content terms (terms as retrieval knows
them: folded, stemmed, no stop words) and every one of its figures, rounded or not. That is what words can show. It
takes a paraphrase in other words for unsupported, and a denial in the same words (`is not covered`) for supported: a
judge, which option `judge` names, reads what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.evaluation.evaluators.options import number
from opsloop.rag.text.figures import are_held
from opsloop.rag.text.words import sentences, terms

QUOTE_KEYS = ("quote", "text", "content")
PASSAGE_KEYS = ("text", "content", "passage", "page_content")
THRESHOLD = 0.75
_MARK = re.compile(r"\[(?P<numbers>\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer without its marks, and the numbers that the marks (`[1]`, `[2, 3]`) name."""

    text: str
    cited: tuple[int, ...]


def statements(answer: str) -> list[Statement]:
    """The sentences of an answer that say something: those with content terms. A mark after the full stop counts."""
    found: list[Statement] = []
    for span in sentences(_marks_inside(answer)):
        written = answer_text = _marks_inside(answer)[span.start : span.end]
        cited = [int(each) for mark in _MARK.finditer(written) for each in re.findall(r"\d+", mark["numbers"])]
        plain = " ".join(_MARK.sub(" ", answer_text).split())
        if terms(plain):
            found.append(Statement(plain, tuple(dict.fromkeys(cited))))
    return found


def _marks_inside(answer: str) -> str:
    """`It is so. [1] Next` as `It is so [1]. Next`, so that a sentence keeps its marks."""
    return re.sub(r"(?P<stop>[.!?])(?P<marks>(?:\s*\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\])+)", r"\g<marks>\g<stop>", answer)


def threshold_of(options: Mapping[str, Any]) -> float:
    return number(options, "threshold", THRESHOLD, least=0.0, most=1.0)


def supports(statement: str, passages: Sequence[str] | Iterable[str], threshold: float = THRESHOLD) -> bool:
    """Whether the passages together support a statement, by the rule above."""
    held = list(passages)
    claimed = set(terms(statement))
    proved = {term for passage in held for term in terms(passage)}
    if not claimed or len(claimed & proved) < threshold * len(claimed):
        return False
    return are_held(statement, held)
