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

SCREEN = "injection"
# What the model finds and no rule names.
LIKELY = "likely_injection"
KINDS = tuple(sorted({LIKELY, *(rule.kind for rule in RULES)}))


def search(text: str) -> Iterator[Finding]:
    """The passages that hold an attack, each with what tells it; when rules do, the model's opinion adds nothing."""
    for start, end in passages(text):
        said = plain(text[start:end])
        found = [Finding(SCREEN, rule.kind, start, end, rule.score) for rule in hits(said)]
        if not found:
            probability = model().probability(said)
            if probability >= model().threshold:
                found.append(Finding(SCREEN, LIKELY, start, end, round(probability, 4)))
        yield from found


@cache
def model() -> Model:
    return read(Path(__file__).with_name("weights.bin"))
