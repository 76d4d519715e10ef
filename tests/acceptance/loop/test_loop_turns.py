"""The main job, as a user sees it: the loop turns once, a bad change is stopped twice, nothing is lost at the end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.acceptance.loop.test_readme import missing_from
from tests.acceptance.up import Up, opsloop

LOOP_S = 480.0
HELPED_S = 120.0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_loop_turns_once_and_is_not_turned_again(project: Path, port: int, started: list[Up]) -> None:
    run = Up(project, port)
    started.append(run)
    said = run.wait_for("Ctrl-C stops it", timeout_s=LOOP_S)
    tells_what_happened(said)
    the_stable_release_serves(run.url)
    openai_clients_are_answered(run.url)
    the_seed_routes_answer(run.url)
    curl_needs_no_header(run.url)
    bad_input_is_told(run.url)
    the_rollback_is_explained(run.url)
    a_repair_waits_and_helps(run)

    second = opsloop("up", "--project", str(project))
    assert second.returncode == 5
    assert f"held by process {run.process.pid} (it answers at {run.url})" in second.stderr

    needed = opsloop("up", "--if-needed", "--project", str(project))
    assert (needed.returncode, needed.stdout) == (0, f"Opsloop runs already, on this folder: {run.url}\n")

    assert opsloop("audit", "verify", "--project", str(project)).returncode == 0
    assert run.stop() == 0

    again = Up(project, port)
    started.append(again)
    said = again.wait_for("Ctrl-C stops it", timeout_s=LOOP_S)
    assert "nothing to do: the platform matches opsloop.yaml" in said
    assert "questions asked" not in said
    assert "was rolled back by itself" in said
    assert re.search(r"release +done before; handover serves release 1 \(handover@1\) now", said), said
    assert re.search(r"check +helped: ", said), said
    assert again.stop() == 0


def tells_what_happened(said: str) -> None:
    assert missing_from(said) == []
    assert re.search(r"evaluate +answer@1 on handbook-questions@1, 125 rows: ", said), said
    assert re.search(r"gate +Gate failed", said), said
    assert re.search(r"release +refused; release 1 \(answer@1\) keeps serving", said), said
    assert re.search(r"release +release 2 \(answer@3\) starts as a canary with 10 % of users", said), said
    assert re.search(r"watch +release 2 was rolled back by itself: ", said), said
    met = re.search(r"(\d+) requests of (\d+) users met it; (\d+) failed", said)
    assert met is not None, said
    requests, users, failed = (int(figure) for figure in met.groups())
    assert requests >= users >= 1
    assert 1 <= failed <= requests
    assert "0 errors seen" in said


def the_stable_release_serves(url: str) -> None:
    state: dict[str, Any] = httpx.get(f"{url}/api/endpoints/support-chat").json()
    assert state["stable"]["number"] == 1
    assert state["candidate"] is None
    assert state["rollout"]["status"] == "rolled_back"
    assert state["rollout"]["share"] == 0


def the_rollback_is_explained(url: str) -> None:
    [incident] = httpx.get(f"{url}/api/incidents", params={"endpoint": "support-chat"}).json()["items"]
    assert incident["suspects"][0]["name"] == incident["cause"] == "endpoint/support-chat, release 2"


def a_repair_waits_and_helps(run: Up) -> None:
    """What the console shows first; a yes to it is acted on, checked on real requests, and told on the terminal."""
    with httpx.Client(base_url=run.url, timeout=30.0) as http:
        [repair] = http.get("/api/remediations", params={"waiting": True}).json()["items"]
        assert f"{run.url}/remediations/{repair['id']}" in run.said
        assert f"{run.url}/incidents/{repair['incident']}" in run.said
        assert repair["playbook"] == "roll-back-release"
        assert any("waited looks" in each for each in repair["because"]), repair["because"]
        assert http.get("/api/endpoints/handover").json()["stable"]["number"] == 2
        answer = http.post(f"/api/remediations/{repair['id']}/approve", json={"digest": repair["digest"], "reason": ""})
        assert answer.status_code == 200, answer.text
        run.wait_for("check      helped: ", timeout_s=HELPED_S)
        assert http.get("/api/endpoints/handover").json()["stable"]["number"] == 1


def openai_clients_are_answered(url: str) -> None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        assert [model.id for model in client.models.list()] == ["support-chat", "collection/handbook"]
        question: Any = [{"role": "user", "content": "Is acupuncture covered by Northwind Standard?"}]
        whole = client.chat.completions.create(model="support-chat", messages=question)
        streamed = client.chat.completions.create(model="support-chat", messages=question, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices)
    assert whole.choices[0].message.content
    assert text == whole.choices[0].message.content
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 0


def the_seed_routes_answer(url: str) -> None:
    assert httpx.get(f"{url}/health").json()["status"] == "ok"
    assert httpx.get(f"{url}/ready").status_code == 200
    metrics = httpx.get(f"{url}/metrics").text
    for name in ("inference_requests_total", "inference_latency_seconds", "drift_events_total"):
        assert f"# TYPE {name.removesuffix('_total')}" in metrics or f"# TYPE {name}" in metrics
    question = {"question": "Does Northwind Standard cover emergency services?", "collection": "handbook"}
    answer = httpx.post(f"{url}/query", json=question).json()
    assert not answer["abstained"]
    for citation in answer["citations"]:
        assert {"document_id", "filename", "chunk", "quote", "start", "end", "score"} <= set(citation)
        assert citation["quote"] in answer["answer"] or answer["answer"]


def curl_needs_no_header(url: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = b'{"question": "Is acupuncture covered?", "collection": "handbook"}'
    assert httpx.post(f"{url}/query", content=body, headers=form).status_code == 200


def bad_input_is_told(url: str) -> None:
    broken = httpx.post(f"{url}/query", content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.headers["content-type"]) == (422, "application/problem+json")
    wrong = httpx.post(f"{url}/query", json={"question": 5})
    assert "question" in wrong.json()["detail"]
    large = httpx.post(f"{url}/upload", content=b"x" * 17_000_000)
    assert large.status_code == 413
