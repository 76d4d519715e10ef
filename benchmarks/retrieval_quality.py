"""Retrieval quality on labelled sets: `python benchmarks/retrieval_quality.py DATA [lsa|minilm]`.

DATA holds one folder per set in BEIR's form: `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`),
`qrels/dev.tsv`. Per set and embedder three rankings are measured on the same index: BM25 of chunk and best window, the
vectors alone, and ours, both fused as they are served. The embedders are the offline default, fitted on the collection,
and MiniLM (`_minilm.py`, whose weights come from a registry; embedding takes minutes). Goals: ours no worse
than the better part anywhere; nDCG@10 with MiniLM of .745 on scifact, .82 on docs_qa, .80 on azure_contoso.
"""

from __future__ import annotations

import csv
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.vectors.embedding import embed

BY = Caller("benchmark", Role.ADMIN)
SETS = ("azure_contoso", "docs_qa", "xquad_en", "scifact")
# None: the share that the collection gives its vectors by itself.
RANKINGS: Mapping[str, float | None] = {"BM25": 0.0, "vectors": 1.0, "ours": None}
EMBEDDERS = ("lsa", "minilm")
GOALS = {"lsa": {"azure_contoso": 0.80}, "minilm": {"azure_contoso": 0.80, "docs_qa": 0.82, "scifact": 0.745}}
COLLECTION = "bench"


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over questions, each 0-1, and the median time of a search."""

    ndcg_at_10: float
    recall_at_5: float
    search_ms: float


def ndcg(ranked: Sequence[str], relevant: set[str], depth: int) -> float:
    """Source: K. Järvelin and J. Kekäläinen, Cumulated gain-based evaluation, ACM TOIS 20 (2002), 422-446."""
    gained = sum(1 / math.log2(place + 2) for place, one in enumerate(ranked[:depth]) if one in relevant)
    return gained / sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))


def recall(ranked: Sequence[str], relevant: set[str], depth: int) -> float:
    return len(relevant & set(ranked[:depth])) / len(relevant)


def judgements(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with (folder / "qrels" / "dev.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if float(row["score"]) > 0:
                found.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return found


def questions(folder: Path) -> dict[str, str]:
    lines = (folder / "queries.jsonl").read_text().splitlines()
    return {row["_id"]: row["text"] for row in map(json.loads, lines)}


def embedder_name(kind: str) -> str:
    """The name of an embedder as a collection takes it; MiniLM is made in the cache on first use."""
    if kind == "lsa":
        return "lsa"
    from _minilm import encoder_folder

    return f"onnx:{encoder_folder()}"


@contextmanager
def opened(embedder: str, limit_bytes: int) -> Iterator[Workspace]:
    """A workspace with an empty collection. Args: limit_bytes: of the largest document."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES"] = str(limit_bytes)
        workspace = open_workspace(CoreSettings(data_dir=Path(folder)))
        try:
            with workspace.writing(BY) as uow:
                service.create_collection(uow, COLLECTION, embedder=embedder)
            yield workspace
        finally:
            workspace.close()


@contextmanager
def indexed(corpus: bytes, embedder: str) -> Iterator[Workspace]:
    with opened(embedder, len(corpus) + 1) as workspace:
        with workspace.writing(BY) as uow:
            service.upload_passages(uow, COLLECTION, corpus)
        embed(workspace, COLLECTION)
        yield workspace


def measured(folder: Path, workspace: Workspace, vector_weight: float | None) -> Quality:
    relevant, texts = judgements(folder), questions(folder)
    gains, recalls, times_ms = [], [], []
    with workspace.writing(BY) as uow:
        service.weigh(uow, COLLECTION, vector_weight)
    with workspace.reading(BY) as uow:
        service.search(uow, COLLECTION, "load the index")
        for key, wanted in relevant.items():
            started = time.perf_counter()
            found = service.search(uow, COLLECTION, texts[key], top_k=10)
            times_ms.append(1_000 * (time.perf_counter() - started))
            ranked = [one.passage_id or "" for one in found]
            gains.append(ndcg(ranked, wanted, 10))
            recalls.append(recall(ranked, wanted, 5))
    return Quality(statistics.fmean(gains), statistics.fmean(recalls), statistics.median(times_ms))


def measured_set(folder: Path, kind: str) -> dict[str, Quality]:
    with indexed((folder / "corpus.jsonl").read_bytes(), embedder_name(kind)) as workspace:
        found = {name: measured(folder, workspace, weight) for name, weight in RANKINGS.items()}
    for name, quality in found.items():
        shown = {"vectors": f"{kind} alone", "ours": f"ours, {kind}"}.get(name, name)
        figures = (
            f"nDCG@10 {quality.ndcg_at_10:.3f}  recall@5 {quality.recall_at_5:.3f}  p50 {quality.search_ms:.1f} ms"
        )
        print(f"{folder.name:14} {shown:13} {figures}", flush=True)
    return found


def is_met(kind: str, name: str, found: Mapping[str, Quality]) -> bool:
    best_part = max(found["BM25"].ndcg_at_10, found["vectors"].ndcg_at_10)
    return found["ours"].ndcg_at_10 >= max(best_part, GOALS[kind].get(name, 0.0))


def main() -> int:
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("OPSLOOP_BENCH_DATA")
    kinds = [kind for kind in EMBEDDERS if kind in sys.argv[2:]] or list(EMBEDDERS)
    if given is None:
        print("retrieval_quality: not measured; give the folder of the labelled sets as argument")
        return 0
    folders = [Path(given) / name for name in SETS if (Path(given) / name / "corpus.jsonl").is_file()]
    if not folders:
        print(f"retrieval_quality: no set of {', '.join(SETS)} in {given}; give the folder that holds them")
        return 2
    results = {(kind, folder.name): measured_set(folder, kind) for kind in kinds for folder in folders}
    missed = [f"{name} with {kind}" for (kind, name), found in results.items() if not is_met(kind, name, found)]
    summary = ", ".join(
        f"{name} {kind} {found['ours'].ndcg_at_10:.3f} (BM25 {found['BM25'].ndcg_at_10:.3f}, "
        f"alone {found['vectors'].ndcg_at_10:.3f})"
        for (kind, name), found in results.items()
    )
    print(f"retrieval_quality: nDCG@10 {summary}; {'goals met' if not missed else 'missed on ' + ', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
