"""The official client asks for vectors."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from opsloop.core.settings import CoreSettings
from opsloop.rag import service as rag
from opsloop.testing.model_server import ModelServer
from tests.integration.gateway.world import OPERATOR, Live, Shop

Start = Callable[[], Live]
TEXTS = {
    "leave.md": "Employees have thirty days of leave each year. Leave is asked for in the portal.",
    "travel.md": "Trains are booked in second class. Hotels are paid up to 120 euros a night.",
}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def settings(migrated_folder: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> CoreSettings:
    monkeypatch.setenv("OPSLOOP_RAG_EMBEDDER", "openai:text-embedding-3-small")
    return CoreSettings(data_dir=migrated_folder, llm_base_url=server.base_url)


@pytest.fixture
def client(shop: Shop, live: Start) -> Iterator[openai.OpenAI]:
    with shop.workspace.writing(OPERATOR) as uow:
        rag.create_collection(uow, "handbook", embedder="lsa")
        for name, text in TEXTS.items():
            rag.upload(uow, "handbook", name, text.encode())
    running = live()
    http_client = openai.DefaultHttpxClient(trust_env=False, timeout=30)
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key="any", max_retries=0, http_client=http_client) as made:
        yield made


def test_what_can_embed_is_listed_and_embeds(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert listed == {"chat", "text-embedding-3-small", "collection/handbook"}
    for model in ("text-embedding-3-small", "collection/handbook"):
        made = client.embeddings.create(model=model, input=["days of leave", "hotels"])  # the client asks for base64
        assert made.model == model
        assert [each.index for each in made.data] == [0, 1]
        vectors = np.array([each.embedding for each in made.data])
        assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-3)
        assert made.usage.prompt_tokens == made.usage.total_tokens == 6


def test_floats_and_base64_say_the_same(client: openai.OpenAI, http: httpx.Client) -> None:
    url = f"{client.base_url}embeddings"
    body: dict[str, Any] = {"model": "collection/handbook", "input": "days of leave"}
    floats = http.post(url, json=body).json()["data"][0]["embedding"]
    packed = http.post(url, json={**body, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert np.frombuffer(base64.b64decode(packed), "<f4") == pytest.approx(floats)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"model": "nobody", "input": "a"}, 404, "no embedder named 'nobody'"),
        ({"model": "onnx:/etc", "input": "a"}, 404, "no embedder named"),
        ({"model": "collection/handbook", "input": []}, 400, "input: is 0; wanted 1 to 2048 texts"),
        ({"model": "collection/handbook", "input": ["a", ""]}, 400, "input[1]: is ''; wanted a text that is not empty"),
        ({"model": "collection/handbook", "input": [[1, 2]]}, 400, "input[0]: is [1, 2]; wanted text"),
        ({"model": "collection/handbook", "input": "a", "dimensions": 7}, 400, "dimensions: is 7; wanted"),
        ({"model": "collection/handbook"}, 400, "input"),
    ],
)
def test_what_cannot_be_embedded_is_refused_with_a_sentence(
    client: openai.OpenAI, http: httpx.Client, body: dict[str, Any], status: int, says: str
) -> None:
    answer = http.post(f"{client.base_url}embeddings", json=body)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]
