"""Harm in a text, by passage: pure, without I/O, in time linear in the text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from opsloop.guardrails.content.lexicon import read as read_words
from opsloop.guardrails.content.lexicon import with_pairs
from opsloop.guardrails.models import Finding
from opsloop.guardrails.wording import model, rules
from opsloop.guardrails.wording.passages import sentences
from opsloop.guardrails.wording.plain import plain

SCREEN = "content"
HATE = "hate"
# Hate is said in a sentence or two.
SIZE = 240
RULES = rules.read(Path(__file__).with_name("rules.toml"))
KINDS = tuple(sorted({HATE, *(rule.kind for rule in RULES)}))
# Without one of these nobody is spoken of.
_OF_SOMEBODY = ("GROUP", "SLUR")


def search(text: str) -> Iterator[Finding]:
    """The sentences that harm, once for each kind that they hold; two together where neither does alone."""
    before: tuple[int, frozenset[str]] | None = None
    for start, end in sentences(text, SIZE):
        alone = dict(harms(plain(text[start:end])))
        for kind, score in alone.items():
            yield Finding(SCREEN, kind, start, end, score)
        if before is not None:
            together = harms(plain(text[before[0] : end])) if end - before[0] <= 2 * SIZE else ()
            for kind, score in together:
                if kind not in alone and kind not in before[1]:
                    yield Finding(SCREEN, kind, before[0], end, score)
        before = start, frozenset(alone)


def harms(said: str) -> Iterator[tuple[str, float]]:
    """Kind and score of what a plain passage holds."""
    words = read_words(said)
    for rule, _ in rules.hits(RULES, " ".join(words)):
        yield rule.kind, rule.score
    if any(each in words for each in _OF_SOMEBODY):
        probability = weights().probability(with_pairs(words))
        if probability >= weights().threshold:
            yield HATE, round(probability, 4)


@cache
def weights() -> model.Model:
    return model.read(Path(__file__).with_name("weights.bin"))
