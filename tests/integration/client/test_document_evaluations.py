"""A collection measured with a dataset, and tuned with it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from opsloop.client import document_evaluations
from opsloop.client.http import Client
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Denied, InvalidInput, NotFound
from opsloop.core.jobs.inline import run_due
from opsloop.core.jobs.models import JobStatus
from opsloop.core.jobs.registry import Again, JobContext, handler_of
from opsloop.core.workspace import Workspace
from opsloop.evaluation.tuning import service
from opsloop.evaluation.tuning.models import Tuned, Tuning

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
    tuned = chosen(document_evaluations.tune(client, "benefits", str(golden), by="filename"))

    assert tuned.dev.questions + tuned.after.questions == 50
    assert tuned.after.auroc == 1.0
    assert tuned.after.right == 1.0
    assert not tuned.applied
    [kept] = [each for each in client.documents.collections() if each.name == "benefits"]
    assert kept.min_support is None


def test_applied_settings_are_kept_and_answer_questions(client: Client, golden: Path) -> None:
    tuned = chosen(document_evaluations.tune(client, "benefits", str(golden), by="filename", apply=True))

    assert tuned.applied
    [kept] = [each for each in client.documents.collections() if each.name == "benefits"]
    settings = tuned.chosen
    assert (kept.chunking, kept.vector_weight, kept.min_support) == (
        settings.chunking,
        settings.vector_weight,
        settings.min_support,
    )
    question = ROWS[0]["question"]
    assert not client.documents.query("benefits", str(question)).abstained


def test_a_tuning_can_be_looked_at_by_its_id_and_in_a_list(client: Client, golden: Path) -> None:
    first = document_evaluations.tune(client, "benefits", str(golden), by="filename")
    second = document_evaluations.tune(client, "benefits", str(golden), by="filename")

    assert document_evaluations.tuning_of(client, "benefits", first.id) == first
    assert [each.id for each in document_evaluations.tunings(client, "benefits")] == [second.id, first.id]
    assert client.jobs.get(first.id).kind == "evaluation.tuning"
    with pytest.raises(NotFound, match="opsloop rag tunings benefits"):
        document_evaluations.tuning_of(client, "benefits", "tuning_none")


def test_who_may_not_change_a_collection_cannot_have_a_tuning_set_what_it_chose(
    client: Client, golden: Path, sqlite_workspace: Workspace
) -> None:
    client.documents.give_access("benefits", readers=["role:viewer"], writers=["key:other"])
    version = document_evaluations.registered(client, str(golden))
    with sqlite_workspace.writing(Caller("key:me", Role.DEVELOPER)) as uow:
        assert service.start(uow, "benefits", version.ref, by="filename", apply=False).status is JobStatus.PENDING
        with pytest.raises(Denied, match="benefits"):
            service.start(uow, "benefits", version.ref, by="filename", apply=True)


def test_a_tuning_that_is_cancelled_changes_nothing_and_says_so(
    client: Client, golden: Path, sqlite_workspace: Workspace, admin: Caller
) -> None:
    version = document_evaluations.registered(client, str(golden))
    with sqlite_workspace.writing(admin) as uow:
        asked = service.start(uow, "benefits", version.ref, by="filename", apply=True)
    client.jobs.cancel(asked.id)
    run_due(sqlite_workspace, kind=service.KIND)

    found = document_evaluations.tuning_of(client, "benefits", asked.id)
    assert (found.status, found.tuned) == (JobStatus.CANCELLED, None)
    [kept] = [each for each in client.documents.collections() if each.name == "benefits"]
    assert kept.min_support is None


def test_a_tuning_that_was_stopped_in_the_middle_begins_again_and_ends(
    client: Client, golden: Path, sqlite_workspace: Workspace, admin: Caller
) -> None:
    version = document_evaluations.registered(client, str(golden))
    with sqlite_workspace.writing(admin) as uow:
        asked = service.start(uow, "benefits", version.ref, by="filename", apply=True)
    stopping = threading.Event()

    def stop(done: int, total: int, message: str) -> None:
        stopping.set()

    context = JobContext(sqlite_workspace, asked.id, stopping=stopping, progress=stop)
    with pytest.raises(Again):
        handler_of(service.KIND)(context, {"tuning": asked.id})
    assert document_evaluations.tuning_of(client, "benefits", asked.id).tuned is None

    run_due(sqlite_workspace, kind=service.KIND)
    found = document_evaluations.tuning_of(client, "benefits", asked.id)
    assert found.status is JobStatus.DONE
    assert chosen(found).applied


def chosen(tuning: Tuning) -> Tuned:
    assert tuning.tuned is not None, tuning.error
    return tuning.tuned


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
