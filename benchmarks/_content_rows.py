"""The rows that the hate model learns from: HateCheck, and texts that harm nobody."""

from __future__ import annotations

from pathlib import Path

import _injection_rows
from _content_phrases import ours
from _injection_rows import lines
from _wording import Floats, Passages, Row, threshold_for
from opsloop.guardrails.content.lexicon import read as read_words
from opsloop.guardrails.content.lexicon import with_pairs
from opsloop.guardrails.content.search import SIZE

HATECHECK = Path("guardrails") / "content-filter" / "dev_hatecheck.jsonl"
C = 3.0
# Of the harmless cases of HateCheck, all of which are made to look like hate.
LARGEST_FPR = 0.15
SHARES = {"hatecheck": 1.0, "ordinary": 1.0, "ours": 0.5}
SOURCES = (
    "HateCheck of Röttger et al. 2021 (CC BY 4.0), NotInject and WildGuard rows of PIGuard (MIT), Azure-Samples and "
    "Anthropic documents (MIT), sentences of Opsloop's own"
)


def read(data: Path) -> list[Row]:
    rows = [
        Row("hatecheck", said["text"], said["label"] == 1, group=said["templ_id"]) for said in lines(data / HATECHECK)
    ]
    harmless = ("documents", "wildguard_benign", "notinject")
    rows += [Row("ordinary", row.text, False) for row in _injection_rows.read(data) if row.source in harmless]
    return rows + [Row("ours", text, is_hate) for text, is_hate in ours()]


def threshold(rows: list[Row], scores: Floats) -> float:
    of = [at for at, row in enumerate(rows) if row.source == "hatecheck"]
    return threshold_for([rows[at] for at in of], scores[of], LARGEST_FPR)


def passages_of(rows: list[Row]) -> Passages:
    return Passages(rows, SHARES, size=SIZE, read=lambda said: with_pairs(read_words(said)))
