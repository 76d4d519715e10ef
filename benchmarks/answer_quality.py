"""Quality of answers without a model on labelled sets: `python benchmarks/answer_quality.py DATA [lsa|minilm]`.

DATA holds one folder per set, as for `retrieval_quality.py`; a question may have `answers`, `answer_start` or
`references` (where they stand in its document) and `answerable`. Measured are, for each embedder:

- chunkeval, covidqa: long documents, cut as an upload cuts them. The share of a question's answer spans that stand
  whole in the first 1,000 words that are retrieved; a mean over questions. Goals: .90 and .78.
- xquad_en: the share of questions whose answer stands in the best sentence, quoted from five passages. Goal: .83.
- Refusal: how well `support` tells questions that the documents answer from those they do not, as the area under the
  ROC curve. xquad_en: each question is asked of the half of the articles that holds its own and of the other half; goal
  .96. azure_contoso: its questions are marked; goal .90.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.answering import quoting
from opsloop.rag.models import Answer, Passage
from opsloop.rag.vectors.embedding import embed
from retrieval_quality import BY, COLLECTION, EMBEDDERS, embedder_name, indexed, judgements, opened

WORDS = 1_000
TOP_K = 5
GOALS = {
    "chunkeval span": 0.90,
    "covidqa span": 0.78,
    "xquad_en sentence": 0.83,
    "xquad_en refusal": 0.96,
    "azure_contoso refusal": 0.90,
}


@dataclass(frozen=True, slots=True)
class Span:
    document: str
    start: int
    end: int


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def spans(question: Mapping[str, Any], document: str) -> list[Span]:
    if "references" in question:
        return [Span(document, start, end) for start, end in question["references"]]
    starts, texts = question["answer_start"], question["answers"]
    return [Span(document, start, start + len(text)) for start, text in zip(starts, texts, strict=True)]


def read(passages: Iterable[Passage], most_words: int) -> list[Span]:
    """What a reader sees who stops after so many words."""
    seen = []
    for one in passages:
        words = list(word_ends(one.text))
        cut = one.end if len(words) <= most_words else one.start + words[most_words - 1]
        seen.append(Span(one.filename, one.start, cut))
        most_words -= len(words)
        if most_words <= 0:
            break
    return seen


def word_ends(text: str) -> Iterable[int]:
    """Where each word ends, words being what stands between white space."""
    at = 0
    for word in text.split():
        at = text.index(word, at) + len(word)
        yield at


def held(span: Span, seen: Sequence[Span]) -> bool:
    """Whether a span stands whole in what was seen; pieces that touch are read as one."""
    at = span.start
    for one in sorted(seen, key=lambda each: each.start):
        if one.document == span.document and one.start <= at and one.end > at:
            at = one.end
    return at >= span.end


def span_share(folder: Path, embedder: str) -> float:
    """Mean over questions of the share of their spans that are retrieved in the first words."""
    corpus = {row["_id"]: row["text"] for row in rows(folder / "corpus.jsonl")}
    names = {key: f"{number}.txt" for number, key in enumerate(corpus)}
    relevant = judgements(folder)
    shares = []
    with opened(embedder, limit_bytes=max(len(text.encode()) for text in corpus.values()) + 1) as workspace:
        for key, text in corpus.items():
            with workspace.writing(BY) as uow:
                service.upload(uow, COLLECTION, names[key], text.encode())
        embed(workspace, COLLECTION)
        with workspace.reading(BY) as uow:
            for question in rows(folder / "queries.jsonl"):
                if question["_id"] not in relevant:
                    continue
                (document,) = relevant[question["_id"]]
                wanted = spans(question, names[document])
                seen = read(service.search(uow, COLLECTION, question["text"], top_k=50), WORDS)
                shares.append(statistics.fmean(held(one, seen) for one in wanted))
    return statistics.fmean(shares)


def answered(workspace: Workspace, question: str, sentences: int = 1) -> Answer:
    with workspace.reading(BY) as uow:
        passages = service.search(uow, COLLECTION, question, top_k=TOP_K)
    return quoting.answer(question, passages, min_support=0.0, max_sentences=sentences)


def sentence_share(folder: Path, embedder: str) -> float:
    """The share of questions one of whose answers stands in the best sentence."""
    with indexed((folder / "corpus.jsonl").read_bytes(), embedder) as workspace:
        found = []
        for question in rows(folder / "queries.jsonl"):
            quotes = [one.quote for one in answered(workspace, question["text"]).citations]
            found.append(any(answer in quote for answer in question["answers"] for quote in quotes))
    return statistics.fmean(found)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that one of the first is greater than one of the second, equal ones counting half."""
    wins = sum((above > below) + 0.5 * (above == below) for above in positive for below in negative)
    return wins / (len(positive) * len(negative))


def refusal_of_marked(folder: Path, embedder: str) -> float:
    supports: dict[bool, list[float]] = {True: [], False: []}
    with indexed((folder / "corpus.jsonl").read_bytes(), embedder) as workspace:
        for question in rows(folder / "queries.jsonl"):
            supports[question["answerable"]].append(answered(workspace, question["text"]).support)
    return auroc(supports[True], supports[False])


def refusal_of_halves(folder: Path, embedder: str) -> float:
    """Articles are the part of a passage's id before `_`; of each two, one lies in either half."""
    lines = (folder / "corpus.jsonl").read_text().splitlines()
    article_of = {json.loads(line)["_id"]: json.loads(line)["_id"].partition("_")[0] for line in lines}
    half_of = {article: number % 2 for number, article in enumerate(dict.fromkeys(article_of.values()))}
    relevant = judgements(folder)
    supports: dict[bool, list[float]] = {True: [], False: []}
    for half in (0, 1):
        inside = [line for line in lines if half_of[article_of[json.loads(line)["_id"]]] == half]
        with indexed("\n".join(inside).encode(), embedder) as workspace:
            for question in rows(folder / "queries.jsonl"):
                (passage,) = relevant[question["_id"]]
                is_inside = half_of[article_of[passage]] == half
                supports[is_inside].append(answered(workspace, question["text"]).support)
    return auroc(supports[True], supports[False])


MEASURES = {
    "chunkeval span": span_share,
    "covidqa span": span_share,
    "xquad_en sentence": sentence_share,
    "xquad_en refusal": refusal_of_halves,
    "azure_contoso refusal": refusal_of_marked,
}


def main() -> int:
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("OPSLOOP_BENCH_DATA")
    kinds = [kind for kind in EMBEDDERS if kind in sys.argv[2:]] or list(EMBEDDERS)
    if given is None:
        print("answer_quality: not measured; give the folder of the labelled sets as argument")
        return 0
    there = {name: Path(given) / name.partition(" ")[0] for name in MEASURES}
    there = {name: folder for name, folder in there.items() if (folder / "corpus.jsonl").is_file()}
    if not there:
        print(f"answer_quality: no set of {', '.join(MEASURES)} in {given}; give the folder that holds them")
        return 2
    results = {}
    for kind in kinds:
        for name, folder in there.items():
            results[kind, name] = MEASURES[name](folder, embedder_name(kind))
            print(f"{name:22} {kind:7} {results[kind, name]:.3f}  goal {GOALS[name]:.2f}", flush=True)
    missed = [f"{name} with {kind}" for (kind, name), found in results.items() if found < GOALS[name]]
    summary = ", ".join(f"{name} {kind} {found:.3f}" for (kind, name), found in results.items())
    print(f"answer_quality: {summary}; {'goals met' if not missed else 'missed on ' + ', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
