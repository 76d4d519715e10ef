"""The glossary has one meaning for each word, and a word for each noun of the command line."""

from __future__ import annotations

import re

from opsloop.cli.main import SECTIONS
from tests.docs.pages import ROOT

VERBS = {"diagnose", "init", "up", "apply", "doctor", "migrate", "serve"}
SPOKEN = {
    "data": "dataset",
    "guard": "guardrails",
    "eval": "evaluation",
    "rag": "document",
    "monitor": "signal",
    "train": "training run",
    "token": "API key",
    "ci": "CI",
}


def words() -> list[str]:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    return [word.strip(" *") for row in rows for word in row.split(",")]


def test_a_word_has_one_meaning() -> None:
    assert len(words()) == len(set(words())) > 20


def test_every_noun_of_the_command_line_is_explained() -> None:
    nouns = {SPOKEN.get(name, name) for entries in SECTIONS.values() for name in entries if name not in VERBS}
    assert nouns - set(words()) == set()
