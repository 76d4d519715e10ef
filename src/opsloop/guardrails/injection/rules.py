"""The rules of `rules.toml`, read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from opsloop.guardrails.wording import rules
from opsloop.guardrails.wording.rules import Rule

RULES = rules.read(Path(__file__).with_name("rules.toml"))


def hits(plain: str) -> Iterator[Rule]:
    """The rules that a plain passage meets, one of each kind."""
    for rule, _ in rules.hits(RULES, plain):
        yield rule
