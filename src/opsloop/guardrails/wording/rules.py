"""Rules in a TOML file: words that tell a kind of text, as patterns with marks.

`[parts]` are patterns by name that rules use as `<NAME>`; a `[[rules]]` table has `kind`, `score`, `marks` and `words`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# No rule's words reach further from a mark.
REACH = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """Args: marks: of which a passage holds one where the words can be; looking for them costs far less."""

    kind: str
    score: float
    marks: tuple[str, ...]
    words: re.Pattern[str]


def read(file: Path) -> tuple[Rule, ...]:
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    parts: dict[str, str] = said.get("parts", {})
    return tuple(
        Rule(each["kind"], each["score"], tuple(each["marks"]), re.compile(_whole(each["words"], parts)))
        for each in said["rules"]
    )


def hits(rules: Sequence[Rule], plain: str) -> Iterator[tuple[Rule, re.Match[str]]]:
    """The rules that a plain passage meets, the first of each kind."""
    met: set[str] = set()
    for rule in rules:
        if rule.kind in met:
            continue
        present = [mark for mark in rule.marks if mark in plain]
        if not present:
            continue
        first = min(plain.find(mark) for mark in present)
        last = max(plain.rfind(mark) for mark in present)
        found = rule.words.search(plain, max(0, first - REACH), last + REACH)
        if found is not None:
            met.add(rule.kind)
            yield rule, found


def _whole(words: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        words = words.replace(f"<{name}>", part)
    return words
