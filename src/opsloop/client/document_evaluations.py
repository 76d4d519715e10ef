"""Evaluate a collection: its answers and what it retrieves for the questions of a dataset, as a stored evaluation."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsloop.client.connection import path
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput, StillPending
from opsloop.datasets.models import DatasetVersion
from opsloop.evaluation.models import Run
from opsloop.evaluation.tuning.models import Tuning

DEPTH = 10
POLL_S = 0.3
KNOWN_BY = ("passage_id", "filename", "document_id")
QUESTION = ("question", "query", "text")
RELEVANT = ("relevant", "relevant_ids", "qrels", "sources")
TRUTH = ("answers", "truth", "ground_truth")
ANSWERABLE = "answerable"
# Not imported: it brings the server's libraries.
_TARGET = Path(__file__).parents[1] / "rag" / "collection_target.py"


class TuningGoesOn(StillPending):
    template = (
        "tuning {tuning} goes on ({done} of {total} trials); "
        "look again with `opsloop rag tunings {collection} {tuning}`"
    )


def evaluate(
    client: Client,
    collection: str,
    dataset: str,
    *,
    by: str = KNOWN_BY[0],
    generate: bool = False,
    timeout_s: float | None = None,
    tell: Callable[[Run], None] = lambda _: None,
) -> Run:
    """Ask a collection every question of a dataset and wait for the figures.

    Args:
        dataset: a version such as `golden@2`, a file of rows, or a folder in BEIR's form.
        by: what the dataset calls passages by, one of `KNOWN_BY`.
    Raises: InvalidInput naming the column that is missing; RunGoesOn.
    """
    client.documents.stats(collection)
    version = registered(client, dataset)
    columns = [column.name for column in version.schema]
    experiment = experiment_of(collection, version.ref, columns)
    started = client.evaluations.start(experiment, flow=_flow(client, collection, by, generate))
    return client.evaluations.wait(started.id, timeout_s=timeout_s, tell=tell)


def tune(
    client: Client,
    collection: str,
    dataset: str,
    *,
    by: str = KNOWN_BY[0],
    apply: bool = False,
    timeout_s: float | None = None,
    tell: Callable[[Tuning], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Tuning:
    """Let a job choose a collection's settings on one half of a dataset's questions, and wait for its report.

    Args:
        dataset, by: as for `evaluate`.
        apply: whether to set what was chosen.
    Returns: the tuning once it is over, also when it failed or was cancelled.
    Raises: TuningGoesOn when `timeout_s` ended first.
    """
    client.documents.stats(collection)
    body = {"dataset": registered(client, dataset).ref, "by": by, "apply": apply}
    found = client.connection.post(path("api", "collections", collection, "tunings"), Tuning, body=body)
    until_s = None if timeout_s is None else time.monotonic() + timeout_s
    while not found.status.is_final:
        tell(found)
        if until_s is not None and time.monotonic() >= until_s:
            raise TuningGoesOn(collection=collection, tuning=found.id, done=found.done, total=found.total)
        pause(POLL_S)
        found = tuning_of(client, collection, found.id)
    return found


def tuning_of(client: Client, collection: str, tuning: str) -> Tuning:
    return client.connection.get(path("api", "collections", collection, "tunings", tuning), Tuning)


def tunings(client: Client, collection: str) -> list[Tuning]:
    """The newest first."""
    return client.connection.items(path("api", "collections", collection, "tunings"), Tuning)


def experiment_of(collection: str, ref: str, columns: Sequence[str]) -> dict[str, Any]:
    """What is measured with the columns that there are. Raises: InvalidInput when there is no question."""
    question = _column(columns, QUESTION)
    if question is None:
        raise InvalidInput(field="dataset", value=ref, wanted=f"a column named {' or '.join(QUESTION)}")
    return {
        "name": f"collection-{collection}",
        "datasets": [{"name": ref, "mappings": {"question": f"${{data.{question}}}"}}],
        "evaluators": list(_evaluators(columns)),
    }


def _evaluators(columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    relevant, truth = _column(columns, RELEVANT), _column(columns, TRUTH)
    if relevant is not None:
        fed = {"relevant": f"${{data.{relevant}}}"}
        yield {"name": "recall_at_k", "metric": "recall_at_5", "options": {"k": 5}, "mappings": fed}
        yield {"name": "ndcg_at_k", "metric": "ndcg_at_10", "options": {"k": DEPTH}, "mappings": fed}
        yield {"name": "mrr", "mappings": fed}
    if truth is not None:
        yield {"name": "contains", "metric": "holds_gold", "mappings": {"truth": f"${{data.{truth}}}"}}
    if ANSWERABLE in columns:
        yield {"name": "abstention"}
    yield {"name": "answer_support"}
    yield {"name": "citation_exactness"}


def _column(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    return next((each for each in usual if each in columns), None)


def registered(client: Client, dataset: str) -> DatasetVersion:
    """The dataset's version; files are registered first."""
    place = Path(dataset)
    if place.is_dir():
        rows = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows_of(place))
        return client.datasets.register_bytes(place.resolve().name, "questions.jsonl", rows.encode())
    if place.is_file():
        return client.datasets.register(place.stem, place)
    return client.datasets.get(dataset)


def rows_of(folder: Path) -> Iterator[dict[str, Any]]:
    """The questions of a folder in BEIR's form with what is relevant to them.

    `queries.jsonl` holds `_id`, `text` and, of some sets, `answers` and `answerable`; files in `qrels/` the judgements.
    Questions that are answerable but not judged are left out.
    Raises: InvalidInput.
    """
    queries = folder / "queries.jsonl"
    if not queries.is_file():
        raise InvalidInput(field="dataset", value=str(folder), wanted="a folder with queries.jsonl and qrels/*.tsv")
    judged = _judgements(folder)
    for line in queries.read_text("utf-8").splitlines():
        row = json.loads(line)
        answerable = row.get(ANSWERABLE, True)
        if answerable and row["_id"] not in judged:
            continue
        yield {
            "question": row["text"],
            "relevant": sorted(judged.get(row["_id"], ())),
            "answers": row.get("answers", []) if answerable else [],
            ANSWERABLE: answerable,
        }


def _judgements(folder: Path) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in sorted((folder / "qrels").glob("*.tsv")):
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                if float(row["score"]) > 0:
                    found.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return found


def _flow(client: Client, collection: str, by: str, generate: bool) -> str:
    """The flow version that stands for a collection."""
    with tempfile.TemporaryDirectory() as place:
        flow = Path(place) / f"collection-{collection}"
        flow.mkdir()
        (flow / "collection_target.py").write_bytes(_TARGET.read_bytes())
        outputs = ("answer", "citations", "citations_exact", "abstained", "support", "passages", "retrieved", "engine")
        entry = {
            "entry": "collection_target:CollectionTarget",
            "inputs": {"question": {"type": "string"}},
            "outputs": {each: {"type": "any"} for each in outputs},
        }
        (flow / "flow.flex.yaml").write_text(json.dumps(entry))  # JSON is YAML
        init = {"collection": collection, "depth": DEPTH, "by": by, "generate": generate}
        (flow / "init.json").write_text(json.dumps(init))
        return client.flows.register(flow).ref
