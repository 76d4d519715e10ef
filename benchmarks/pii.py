"""Personal data by kind on labelled texts, and the speed: `python benchmarks/pii.py [DATA]`.

DATA holds JSON lines with `text` and `spans` (presidio-research's synthetic sets); without it the folder beside the
checkout is taken. A finding counts when kind, start and end are those of the label. Presidio's pattern recognisers are
measured on the same texts, without a language model: none is needed for these kinds. Goals: F1 of at least .99 for
every kind with a form of its own, of at least .85 for phones, and 25 times Presidio's speed at these kinds. Postal
addresses have no form of their own: how many are touched is printed, and no goal is set.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _peers import peer
from opsloop.guardrails.pii.scan import find

PRESIDIO = "presidio-analyzer==2.2.366"
BESIDE = Path(__file__).parents[2] / "shared" / "data" / "guardrails" / "pii-synth-v2"
KINDS = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address",
    "US_SSN": "us_ssn",
    "PHONE_NUMBER": "phone",
}
GOALS = dict.fromkeys(KINDS.values(), 0.99) | {"phone": 0.85}
FASTER = 25
ADDRESSES = ("STREET_ADDRESS",)
PLACES = (*ADDRESSES, "ADDRESS", "LOCATION", "GPE")
ROUNDS = 5

Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Args: addresses: where streets stand; places: where streets, towns and countries do."""

    text: str
    spans: frozenset[Span]
    addresses: tuple[tuple[int, int], ...]
    places: tuple[tuple[int, int], ...]


def read(folder: Path) -> list[Labelled]:
    rows = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [
        Labelled(row["text"], frozenset(_spans(row["spans"])), _places(row, ADDRESSES), _places(row, PLACES))
        for row in rows
    ]


def _places(row: dict[str, Any], types: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    spans = row["spans"]
    return tuple((each["start_position"], each["end_position"]) for each in spans if each["entity_type"] in types)


def _spans(spans: Iterable[dict[str, Any]]) -> Iterable[Span]:
    for each in spans:
        if each["entity_type"] in KINDS:
            yield KINDS[each["entity_type"]], each["start_position"], each["end_position"]


def ours(text: str) -> set[Span]:
    return {(each.kind, each.start, each.end) for each in find(text, kinds=GOALS)}


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one kind; each from 0 to 1, None without a finding or a label."""

    precision: float | None
    recall: float | None
    f1: float


def measured(texts: Sequence[Labelled], found: Sequence[set[Span]]) -> dict[str, Measured]:
    right: Counter[str] = Counter()
    given: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for each, spans in zip(texts, found, strict=True):
        right.update(kind for kind, *_ in each.spans & spans)
        given.update(kind for kind, *_ in spans)
        wanted.update(kind for kind, *_ in each.spans)
    return {
        kind: Measured(
            right[kind] / given[kind] if given[kind] else None,
            right[kind] / wanted[kind] if wanted[kind] else None,
            2 * right[kind] / (given[kind] + wanted[kind]),
        )
        for kind in GOALS
        if given[kind] + wanted[kind]
    }


def addresses(texts: Sequence[Labelled]) -> str:
    """Postal addresses that are touched, and what is taken for one and touches no place."""
    labels = touched = given = right = 0
    for each in texts:
        found = [(one.start, one.end) for one in find(each.text, kinds=["postal_address"])]
        labels, given = labels + len(each.addresses), given + len(found)
        touched += sum(any(_touch(label, one) for one in found) for label in each.addresses)
        right += sum(any(_touch(place, one) for place in each.places) for one in found)
    return (
        f"{'postal_address':14} {labels:7}  touched {touched / max(1, labels):.3f}, right {right / max(1, given):.3f}"
    )


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def ms_per_kb(texts: Sequence[Labelled], search: Callable[[str], object]) -> float:
    """The best of some rounds: other work on the machine only adds to it."""
    size = sum(len(each.text) for each in texts)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for each in texts:
            search(each.text)
        best = min(best, time.perf_counter() - started)
    return best * 1e6 / size


THEIRS = """
import json, sys, time
import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

class Words(NlpEngine):
    engine_name = "words"
    def __init__(self): self.nlp = spacy.blank("en")
    def load(self): pass
    def is_loaded(self): return True
    def process_text(self, text, language):
        doc = self.nlp(text)
        return NlpArtifacts(entities=[], tokens=doc, tokens_indices=[t.idx for t in doc],
                            lemmas=[t.text.lower() for t in doc], nlp_engine=self, language=language, scores=[])
    def process_batch(self, texts, language, **kwargs): return ((t, self.process_text(t, language)) for t in texts)
    def is_stopword(self, word, language): return False
    def is_punct(self, word, language): return False
    def get_supported_entities(self): return []
    def get_supported_languages(self): return ["en"]

kinds = json.loads(sys.argv[1])
texts = json.load(sys.stdin)
registry = RecognizerRegistry(supported_languages=["en"])
registry.load_predefined_recognizers(languages=["en"])
analyzer = AnalyzerEngine(registry=registry, nlp_engine=Words(), supported_languages=["en"])
found, best = [], float("inf")
for round in range(int(sys.argv[2])):
    started = time.perf_counter()
    found = [analyzer.analyze(text, language="en", entities=list(kinds), score_threshold=0.4) for text in texts]
    best = min(best, time.perf_counter() - started)
json.dump({"seconds": best, "found": [[[kinds[r.entity_type], r.start, r.end] for r in each] for each in found]},
          sys.stdout)
"""


def presidio(texts: Sequence[Labelled]) -> tuple[list[set[Span]], float]:
    """What Presidio finds, and its ms per KB."""
    python = peer(PRESIDIO) / "bin" / "python"
    command = [str(python), "-W", "ignore", "-c", THEIRS, json.dumps(KINDS), str(2)]
    said = json.dumps([each.text for each in texts])
    answer = json.loads(subprocess.run(command, input=said, capture_output=True, text=True, check=True).stdout)
    size = sum(len(each.text) for each in texts)
    found = [{(kind, start, end) for kind, start, end in each} for each in answer["found"]]
    return found, answer["seconds"] * 1e6 / size


def main(arguments: Sequence[str]) -> int:
    folder = Path(arguments[0]) if arguments else BESIDE
    if not folder.is_dir():
        print(f"pii: not measured, there are no labelled texts in {folder}; name their folder")
        return 0
    texts = read(folder)
    here = measured(texts, [ours(each.text) for each in texts])
    found, their_ms = presidio(texts)
    there = measured(texts, found)
    our_ms, all_ms = ms_per_kb(texts, ours), ms_per_kb(texts, find)
    print(f"{'':14} {'':7} {'Presidio':>20}  {'ours':>20}")
    print(f"{'kind':14} {'labels':>7}" + f" {'precision':>9} {'recall':>6} {'F1':>5}" * 2)
    for kind, value in here.items():
        labels = sum(1 for each in texts for span in each.spans if span[0] == kind)
        print(f"{kind:14} {labels:7}{_shown(there.get(kind))}{_shown(value)}")
    print(
        f"{'KB a second':14} {'':7} {1e3 / their_ms:20.0f}  {1e3 / our_ms:20.0f}, {1e3 / all_ms:.0f} for all our kinds"
    )
    print(addresses(texts))
    met = all(value.f1 >= GOALS[kind] for kind, value in here.items()) and their_ms >= FASTER * our_ms
    least = min(here.items(), key=lambda item: item[1].f1 - GOALS[item[0]])
    print(
        f"pii: F1 of the least kind {least[0]} {least[1].f1:.3f} (goal {GOALS[least[0]]}), {our_ms:.2f} ms/KB, "
        f"{their_ms / our_ms:.0f} x Presidio's {their_ms:.1f} (goal {FASTER} x): {'met' if met else 'missed'}"
    )
    return 0 if met else 1


def _shown(value: Measured | None) -> str:
    figures = (None, None, None) if value is None else (value.precision, value.recall, value.f1)
    texts = ["-" if figure is None else f"{figure:.3f}" for figure in figures]
    return f" {texts[0]:>9} {texts[1]:>6} {texts[2]:>5}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
