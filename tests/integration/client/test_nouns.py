"""Every noun of the client against the routes it speaks to: what goes in comes back as the same nouns."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client.http import Client
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Conflict, InvalidInput, NotFound, StillPending
from opsloop.core.jobs import inline
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.rag.ingests.models import Given

FLOW = """\
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${echo.output}", is_chat_output: true}
nodes:
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {question: "${inputs.question}"}
"""


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    folder = tmp_path / "echo"
    folder.mkdir()
    (folder / "flow.dag.yaml").write_text(FLOW)
    (folder / "echo.py").write_text(
        "from promptflow.core import tool\n\n\n@tool\ndef echo(question: str) -> str:\n    return question\n"
    )
    return folder


def test_keys_are_made_listed_and_revoked(client: Client) -> None:
    made = client.keys.create("ci", role=Role.DEVELOPER, lifetime_days=3)

    assert made.secret.startswith("opl_")
    assert client.keys.listed() == [made.key]
    assert client.keys.revoke("ci").revoked_at is not None
    with pytest.raises(NotFound, match="no API key named 'ci'"):
        client.keys.revoke("ci")


def test_the_trail_is_listed_verified_and_exported(client: Client) -> None:
    client.keys.create("a")
    client.keys.create("b")

    newest, oldest = client.audit.listed(action="key.")
    assert (newest.target, oldest.target) == ("key/b", "key/a")
    assert [event.target for event in client.audit.listed(before=newest.seq, limit=1)] == ["key/a"]
    assert client.audit.verify().ok
    assert client.audit.export().count(b'"kind":"event"') == 2
    assert client.audit.public_key().startswith("-----BEGIN PUBLIC KEY-----")


def test_datasets_are_registered_read_and_compared(client: Client) -> None:
    first = client.datasets.register_bytes(
        "golden", "g.jsonl", b'{"id": 1, "q": "a"}\n{"id": 2, "q": "b"}\n', tags=["t", "u"]
    )
    second = client.datasets.register_bytes("golden", "g.jsonl", b'{"id": 1, "q": "A"}\n{"id": 3, "q": "c"}\n')

    assert first.tags == ("t", "u")
    assert [each.ref for each in client.datasets.versions("golden")] == ["golden@2", "golden@1"]
    assert [each.ref for each in client.datasets.listed()] == ["golden@2"]
    assert client.datasets.get("golden@t") == first
    assert client.datasets.get("golden") == second
    assert list(client.datasets.rows("golden@1")) == [{"id": 1, "q": "a"}, {"id": 2, "q": "b"}]
    assert client.datasets.uses("golden") == []
    diff = client.datasets.diff("golden", "1", "2", key=["id"])
    assert (diff.added, diff.removed, diff.changed) == (1, 1, 1)
    with pytest.raises(NotFound, match="golden@9"):
        client.datasets.get("golden@9")


def test_a_dataset_of_several_pages_comes_back_whole(client: Client) -> None:
    data = b"".join(b'{"n": %d}\n' % n for n in range(2500))
    client.datasets.register_bytes("many", "many.jsonl", data)

    assert [row["n"] for row in client.datasets.rows("many")] == list(range(2500))


def test_documents_are_uploaded_searched_cited_and_deleted(client: Client) -> None:
    text = b"Dental care is covered up to 500 euros a year. Glasses are covered every second year."
    first = client.documents.upload("handbook", "care.md", text, metadata={"team": "hr"})
    (passage,) = client.documents.upload_passages("handbook", b'{"_id": "a.pdf#page=1", "text": "Parking is free."}\n')

    assert client.documents.upload("handbook", "care.md", text).duplicate
    assert {each.filename for each in client.documents.listed("handbook")} == {"care.md", "a.pdf"}
    assert [each.name for each in client.documents.collections()] == ["handbook"]
    assert client.documents.stats("handbook").documents == 2
    found = client.documents.search("handbook", "dental care", top_k=1, filters={"team": "hr"})
    assert found[0].document_id == first.document_id
    answer = client.documents.query("handbook", "How much dental care is covered?")
    assert all(text[each.start : each.end].decode() == each.quote for each in answer.citations)
    assert client.documents.delete("handbook", passage.document_id).documents == 1
    assert [each.filename for each in client.documents.listed("handbook")] == ["care.md"]
    assert client.documents.retain("handbook", 30).retention_days == 30
    assert client.documents.give_access("handbook", readers=["key:ci"], writers=None).readers == ("key:ci",)
    assert client.documents.delete_collection("handbook").chunks == 1
    with pytest.raises(NotFound, match="handbook"):
        client.documents.stats("handbook")


def test_many_documents_are_taken_in_and_followed(client: Client, sqlite_workspace: Workspace) -> None:
    sent = client.documents.ingest("handbook", [Given("a.txt", b"Parking is free."), Given("b.bin", b"\0")])
    joined = client.documents.ingest("handbook", [Given("c.txt", b"Lunch is not.")], into=sent.id)
    with pytest.raises(StillPending, match=sent.id):
        client.documents.wait_for_ingest("handbook", sent.id, timeout_s=0.0)

    inline.run_due(sqlite_workspace, kind="rag.ingest")

    told: list[int] = []
    found = client.documents.wait_for_ingest(
        "handbook", sent.id, timeout_s=1.0, tell=lambda seen: told.append(seen.waiting)
    )
    assert (joined.id, joined.waiting, found.stored, found.refused, told) == (sent.id, 3, 2, 1, [0])
    assert client.documents.ingests("handbook") == [found]
    assert [each.filename for each in client.documents.ingested("handbook", sent.id)] == ["a.txt", "b.bin", "c.txt"]
    [refused] = client.documents.ingested("handbook", sent.id, state="refused")
    assert refused.reason is not None


def test_flows_are_frozen_here_and_kept_there(client: Client, flow: Path) -> None:
    first = client.flows.register(flow)
    again = client.flows.register(flow)
    (flow / "echo.py").write_text((flow / "echo.py").read_text() + "# changed\n")
    second = client.flows.register(flow)

    assert (first.ref, again, second.ref) == ("echo@1", first, "echo@2")
    assert [each.ref for each in client.flows.versions("echo")] == ["echo@2", "echo@1"]
    assert client.flows.listed() == [second]
    summary = client.flows.get("echo", 1)
    assert summary.version == first
    assert [node.name for node in summary.nodes] == ["echo"]
    assert summary.mermaid.startswith("flowchart")


def test_endpoints_are_released_and_rolled_back(client: Client, flow: Path) -> None:
    client.endpoints.create("chat")
    version = client.flows.register(flow)
    released = client.endpoints.release("chat", flow=version.ref, config={"a": [1]})
    state = client.endpoints.get("chat")

    assert released.release.serves_digest == version.digest
    assert (state.stable, state.candidate) == (released.release, None)
    assert client.endpoints.listed() == [state]
    assert client.endpoints.releases("chat") == [released.release]
    assert [each.id for each in client.endpoints.rollouts("chat")] == [released.rollout.id]
    assert client.rollouts.get(released.rollout.id).rollout.release == released.release.id
    with pytest.raises(Conflict):
        client.endpoints.create("chat")
    with pytest.raises(Conflict):
        client.rollouts.pause(released.rollout.id)


def test_a_rollout_is_watched_and_steered(client: Client, flow: Path) -> None:
    client.endpoints.create("chat")
    client.endpoints.release("chat", flow=client.flows.register(flow).ref)
    (flow / "echo.py").write_text((flow / "echo.py").read_text() + "# changed\n")
    canary = {"canary": {"steps": [{"share": 0.1, "min_duration_s": 60, "min_subjects": 10}]}}
    rollout = client.endpoints.release("chat", flow=client.flows.register(flow).ref, strategy=canary).rollout

    assert client.rollouts.pause(rollout.id).status == "paused"
    assert client.rollouts.resume(rollout.id).status in ("running", "waiting")
    seen = list(client.rollouts.watch(rollout.id, timeout_s=1.0, pause=lambda _: None))
    assert len(seen) == 1
    client.rollouts.promote(rollout.id)
    assert [each.rollout.status for each in client.rollouts.watch(rollout.id)] == ["promoted"]
    back = client.endpoints.roll_back("chat")
    assert back.stable is not None
    assert back.stable.number == 1


def test_feedback_and_traffic_come_back(client: Client, sqlite_workspace: Workspace, admin: Caller) -> None:
    record = RequestRecord(
        request_id="req_1",
        endpoint="chat",
        release="rel_1",
        arm="stable",
        subject="s",
        started_at=sqlite_workspace.clock.now(),
        duration_ms=12.5,
        status="ok",
    )
    with sqlite_workspace.writing(admin) as uow:
        records.ingest(uow, [record])
    given = client.feedback.add("req_1", thumb="up", comment="good")

    assert client.feedback.listed(request_id="req_1") == [given]
    assert client.feedback.summary().ups == 1
    report = client.monitoring.traffic("chat", window_s=60)
    assert report.summary.requests == 1
    assert [point.count for point in report.series] == [1]
    assert [each.request_id for each in client.monitoring.requests(endpoint="chat")] == ["req_1"]
    with pytest.raises(InvalidInput):
        client.feedback.add("req_1", score=2.0)


def test_jobs_are_listed_and_what_is_not_there_is_said(client: Client) -> None:
    assert client.jobs.listed() == []
    with pytest.raises(NotFound):
        client.jobs.get("job_x")
