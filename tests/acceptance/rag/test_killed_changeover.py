"""SIGKILL while a collection goes over to another embedder: searches keep their vectors, nothing is made twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsloop.testing.model_server import ModelServer
from tests.acceptance.up import Up

DOCUMENTS = 2_000
AT_ONCE = 256
KILLS = 3
PATIENCE_S = 120.0
COLLECTION = "/api/collections/notes"


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(latency_ms=300) as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_changeover_goes_on_and_the_old_vectors_serve_meanwhile(
    tmp_path: Path, port: int, started: list[Up], model: ModelServer
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "opsloop.yaml").write_text("project: notes\n")
    run = up(project, port, started, model)
    passages = (
        json.dumps({"_id": f"note-{number}", "text": f"Note {number} tells of hall {number % 17}."})
        for number in range(DOCUMENTS)
    )
    asked(run, "POST", f"{COLLECTION}/passages", content="\n".join(passages))
    asked(run, "POST", f"{COLLECTION}/reindex", json={"embedder": "openai:small"})
    made_before_kills = []
    for number in range(KILLS):
        made_before_kills.append(made(run, at_least=(number + 1) * AT_ONCE))
        assert best(run)["similarity"] > 0  # by the old vectors
        run.kill()
        run = up(project, port, started, model)
    assert made(run, at_least=0) >= made_before_kills[-1]

    wait_until_over(run)
    stats = asked(run, "GET", COLLECTION)
    assert "small" in stats["embedder"]
    assert best(run)["passage_id"] == "note-1312"
    read = sum(len(call.json["input"]) for call in model.calls)
    assert DOCUMENTS <= read <= DOCUMENTS + (KILLS + 1) * AT_ONCE
    assert run.stop() == 0


def up(project: Path, port: int, started: list[Up], model: ModelServer) -> Up:
    run = Up(project, port, "--no-demo", OPSLOOP_LLM_BASE_URL=model.base_url)
    started.append(run)
    run.ready()
    return run


def asked(run: Up, method: str, at: str, **more: Any) -> Any:
    answer = httpx.request(method, run.url + at, timeout=60.0, trust_env=False, **more)
    assert answer.is_success, answer.text
    return answer.json()


def best(run: Up) -> dict[str, Any]:
    found: dict[str, Any] = asked(run, "POST", f"{COLLECTION}/search", json={"question": "Note 1312", "top_k": 1})[
        "items"
    ][0]
    return found


def made(run: Up, *, at_least: int) -> int:
    """How many new vectors are made, once so many are."""
    for _ in range(int(PATIENCE_S / 0.05)):
        changeover = asked(run, "GET", COLLECTION)["changeover"]
        assert changeover is not None, "it is over already: there is nothing to kill"
        if changeover["done"] >= at_least:
            return int(changeover["done"])
        threading.Event().wait(0.05)
    raise AssertionError(f"no progress:\n{run.said}")


def wait_until_over(run: Up) -> None:
    for _ in range(int(PATIENCE_S / 0.1)):
        changeover = asked(run, "GET", COLLECTION)["changeover"]
        if changeover is None:
            return
        assert changeover["error"] is None
        threading.Event().wait(0.1)
    raise AssertionError(f"it does not end:\n{run.said}")
