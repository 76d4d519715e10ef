"""Passages, questions and their vectors for `rag_speed.py`: made from a seed, the same for every program measured.

Standard library and numpy only: it also runs in the environments of the programs beside. Words are drawn as often as
words of a language are (Zipf); a passage and its vector speak of two of 500 subjects, a question of one passage.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 384
PASSAGES_PER_DOCUMENT = 10
QUESTIONS = 200
_VOCABULARY, _SUBJECTS, _WORDS, _OWN_WORDS = 30_000, 500, 60, 40


@dataclass(frozen=True, slots=True)
class Passages:
    texts: list[str]
    vectors: NDArray[np.float32]
    questions: list[str]
    question_vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.texts)

    def lookup(self) -> dict[str, NDArray[np.float32]]:
        """The vector of each text: an embedder that costs nothing, for everyone."""
        found = dict(zip(self.texts, self.vectors, strict=True))
        return found | dict(zip(self.questions, self.question_vectors, strict=True))


def passages(count: int, seed: int = 0) -> Passages:
    random = np.random.default_rng(seed)
    words = np.array([f"w{number}" for number in range(_VOCABULARY)])
    share = 1 / (10 + np.arange(_VOCABULARY))
    drawn = random.choice(_VOCABULARY, (count, _WORDS), p=share / share.sum())
    subjects = random.standard_normal((_SUBJECTS, DIMENSIONS)).astype(np.float32)
    of_subject = random.integers(0, _VOCABULARY, (_SUBJECTS, _OWN_WORDS))
    first, second = random.integers(0, _SUBJECTS, (2, count))
    drawn[:, :6] = of_subject[first[:, None], random.integers(0, _OWN_WORDS, (count, 6))]
    vectors = _unit(subjects[first] + 0.5 * subjects[second] + 0.5 * random.standard_normal((count, DIMENSIONS)))
    texts = [f"p{number} " + " ".join(row) for number, row in enumerate(words[drawn])]
    asked = random.choice(count, QUESTIONS, replace=count < QUESTIONS)
    questions = [f"q{number} " + " ".join(words[drawn[row, 3:11]]) for number, row in enumerate(asked)]
    near = _unit(vectors[asked] + 0.02 * random.standard_normal((QUESTIONS, DIMENSIONS)))
    return Passages(texts, vectors, questions, near)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def timed(
    given: Passages, ask: Callable[[str], Sequence[str]], cpu_ms: list[float] | None = None
) -> tuple[list[float], list[list[str]]]:
    """Milliseconds and the texts found for each question; the first is asked once before.

    Args:
        cpu_ms: takes the milliseconds of processor time of each.
    """
    ask(given.questions[0])
    times_ms, found = [], []
    for question in given.questions:
        started, cpu_started = time.perf_counter(), time.process_time()
        texts = ask(question)
        times_ms.append(1_000 * (time.perf_counter() - started))
        if cpu_ms is not None:
            cpu_ms.append(1_000 * (time.process_time() - cpu_started))
        found.append(list(texts))
    return times_ms, found


def _langchain(given: Passages) -> dict[str, float]:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore

    known = given.lookup()

    class Lookup(Embeddings):  # type: ignore[misc]  # of an environment beside
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [known[text].tolist() for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return list(map(float, known[text]))

    started = time.perf_counter()
    store = InMemoryVectorStore(Lookup())
    store.add_documents([Document(page_content=text) for text in given.texts])
    took_s = time.perf_counter() - started
    return _figures(given, took_s, lambda asked: [each.page_content for each in store.similarity_search(asked, k=10)])


def _llamaindex(given: Passages) -> dict[str, float]:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.schema import TextNode

    known = given.lookup()

    class Lookup(BaseEmbedding):  # type: ignore[misc]  # of an environment beside
        def _get_text_embedding(self, text: str) -> list[float]:
            return list(map(float, known[text]))

        def _get_query_embedding(self, query: str) -> list[float]:
            return list(map(float, known[query]))

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return list(map(float, known[query]))

    embedder = Lookup(embed_batch_size=1_000)
    started = time.perf_counter()
    index = VectorStoreIndex([TextNode(text=text) for text in given.texts], embed_model=embedder)
    took_s = time.perf_counter() - started
    retriever = index.as_retriever(similarity_top_k=10)
    return _figures(given, took_s, lambda asked: [each.node.text for each in retriever.retrieve(asked)])


def _figures(given: Passages, took_s: float, ask: Callable[[str], Sequence[str]]) -> dict[str, float]:
    times_ms, found = timed(given, ask)
    return figures(given, took_s, times_ms, found)


def figures(
    given: Passages, took_s: float, times_ms: Sequence[float], found: Sequence[Sequence[str]] | None
) -> dict[str, float]:
    figures = {
        "documents_per_s": len(given) / PASSAGES_PER_DOCUMENT / took_s,
        "p50_ms": float(np.quantile(times_ms, 0.5)),
        "p99_ms": float(np.quantile(times_ms, 0.99)),
    }
    return figures if found is None else figures | {"recall": recall(given, found)}


def recall(given: Passages, found: Sequence[Sequence[str]], allowed: NDArray[np.bool_] | None = None) -> float:
    """The share of the ten nearest by exact cosine that were found, 0-1."""
    scores = given.question_vectors @ given.vectors.T
    if allowed is not None:
        scores[:, ~allowed] = -2
    nearest = np.argpartition(-scores, 10, axis=1)[:, :10]
    hits = [len({given.texts[row] for row in rows} & set(own)) for rows, own in zip(nearest, found, strict=True)]
    return float(np.mean(hits)) / 10


if __name__ == "__main__":
    measured = {"langchain": _langchain, "llamaindex": _llamaindex}[sys.argv[1]](passages(int(sys.argv[2])))
    Path(sys.argv[3]).write_text(json.dumps(measured))
