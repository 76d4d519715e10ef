"""A collection measured with a dataset, and tuned with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsloop.client import document_evaluations
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput, NotFound

THINGS = ("bicycle", "laptop", "monitor", "parking", "dental", "travel", "canteen", "garden", "library", "childcare")
TOPICS = ("budget", "deadline", "office")
DOCUMENTS = {
    thing: "\n".join(f"The {thing} {topic} is {len(thing)} {topic}s{thing}." for topic in TOPICS) for thing in THINGS
}
ROWS = [
    {
        "question": f"What is the {thing} {topic}?",
        "relevant": [f"{thing}.md"],
        "answers": [f"{topic}s{thing}"],
        "answerable": True,
    }
    for thing in THINGS
    for topic in TOPICS
] + [
    {"question": f"Which wizard number {number} flew over dragons?", "relevant": [], "answers": [], "answerable": False}
    for number in range(20)
]


@pytest.fixture
def golden(client: Client, tmp_path: Path) -> Path:
    for thing, text in DOCUMENTS.items():
        client.documents.upload("benefits", f"{thing}.md", text.encode())
    file = tmp_path / "golden.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)))
    return file


def test_a_collection_is_measured_as_a_stored_evaluation(client: Client, golden: Path) -> None:
    run = document_evaluations.evaluate(client, "benefits", str(golden), by="filename")

    assert (run.flow, run.dataset, run.rows, run.failed_rows) == ("collection-benefits@1", "golden@1", 50, 0)
    assert run.error is None
    assert {
        name: run.metrics[name].value for name in ("recall_at_5", "holds_gold", "citation_exactness", "abstention")
    } == {
        "recall_at_5": 1.0,
        "holds_gold": 1.0,
        "citation_exactness": 1.0,
        "abstention": 1.0,
    }
    assert run.metrics["ndcg_at_10"].rows == 30
    assert run.metrics["abstention.auroc"].value == 1.0
    assert client.evaluations.listed(flow="collection-benefits")[0].id == run.id


def test_a_folder_of_questions_and_judgements_is_a_dataset(tmp_path: Path) -> None:
    queries = [
        {"_id": "q1", "text": "Who?", "answers": ["He"]},
        {"_id": "q2", "text": "Not judged?"},
        {"_id": "q3", "text": "No answer?", "answerable": False},
    ]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n")
    assert list(document_evaluations.rows_of(tmp_path)) == [
        {"question": "Who?", "relevant": ["d1"], "answers": ["He"], "answerable": True},
        {"question": "No answer?", "relevant": [], "answers": [], "answerable": False},
    ]
    with pytest.raises(InvalidInput, match=r"queries\.jsonl"):
        list(document_evaluations.rows_of(tmp_path / "qrels"))


def test_what_is_not_there_is_told_before_anything_runs(client: Client, golden: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        document_evaluations.evaluate(client, "nowhere", str(golden))
    file = tmp_path / "odd.jsonl"
    file.write_text('{"ask": "x"}\n')
    with pytest.raises(InvalidInput, match="question or query or text"):
        document_evaluations.evaluate(client, "benefits", str(file))


def test_settings_are_chosen_on_one_half_and_reported_on_the_other(client: Client, golden: Path) -> None:
    tuned = document_evaluations.tune(client, "benefits", str(golden), by="filename")

    assert tuned.dev.questions + tuned.after.questions == 50
    assert tuned.after.auroc == 1.0
    assert tuned.after.right == 1.0
    assert not tuned.applied
    [kept] = [each for each in client.documents.collections() if each.name == "benefits"]
    assert kept.min_support is None


def test_applied_settings_are_kept_and_answer_questions(client: Client, golden: Path) -> None:
    tuned = document_evaluations.tune(client, "benefits", str(golden), by="filename", apply=True)

    [kept] = [each for each in client.documents.collections() if each.name == "benefits"]
    chosen = tuned.chosen
    assert (kept.chunking, kept.vector_weight, kept.min_support) == (
        chosen.chunking,
        chosen.vector_weight,
        chosen.min_support,
    )
    question = ROWS[0]["question"]
    assert not client.documents.query("benefits", str(question)).abstained


def test_a_collection_cannot_be_tuned_with_a_handful_of_questions(client: Client, golden: Path, tmp_path: Path) -> None:
    file = tmp_path / "few.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS[:6])))
    with pytest.raises(InvalidInput, match="at least 20 questions"):
        document_evaluations.tune(client, "benefits", str(file))


def test_settings_are_tried_elsewhere_than_in_the_database_in_use(
    client: Client, golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = tmp_path / "in-use.db"
    monkeypatch.setenv("OPSLOOP_DATABASE_URL", f"sqlite:///{used}")
    monkeypatch.setenv("OPSLOOP_DATA_DIR", str(tmp_path / "in-use"))

    document_evaluations.tune(client, "benefits", str(golden), by="filename")

    assert not used.exists()
    assert not (tmp_path / "in-use").exists()
