"""Attacks in a text, by passage: pure, without I/O, in time linear in the text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from opsloop.guardrails.injection.rules import RULES, hits
from opsloop.guardrails.models import Finding
from opsloop.guardrails.wording.model import Model, read
from opsloop.guardrails.wording.passages import passages
from opsloop.guardrails.wording.plain import plain
from opsloop.guardrails.wording.rules import Rule

SCREEN = "injection"
# What the model finds and no rule names.
LIKELY = "likely_injection"
# The model learnt from sentences: of a word or two, such as the name of a field, it knows nothing. Rules look at them.
LEAST_WORDS = 4
KINDS = tuple(sorted({LIKELY, *(rule.kind for rule in RULES)}))


def search(text: str) -> Iterator[Finding]:
    """Attacks, each with what tells it; when rules do, the model's opinion of the passage adds nothing.

    The place is that of the rule's words where they stand as they are, and of the passage where they are disguised.
    """
    for start, end in passages(text):
        passage = text[start:end]
        said = plain(passage)
        found = [_placed(rule, passage, start) for rule in hits(said)]
        if not found and len(said.split()) >= LEAST_WORDS:
            probability = model().probability(said)
            if probability >= model().threshold:
                found.append(Finding(SCREEN, LIKELY, start, end, round(probability, 4)))
        yield from found


def _placed(rule: Rule, passage: str, start: int) -> Finding:
    lower = passage.lower()
    words = rule.words.search(lower) if len(lower) == len(passage) else None
    if words is None:
        return Finding(SCREEN, rule.kind, start, start + len(passage), rule.score)
    return Finding(SCREEN, rule.kind, start + words.start(), start + words.end(), rule.score)


@cache
def model() -> Model:
    return read(Path(__file__).with_name("weights.bin"))
