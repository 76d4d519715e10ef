"""What every embedder does, whatever is behind it."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from opsloop.llm.embedders.lsa import LsaEmbedder
from opsloop.llm.embedders.onnx import OnnxEmbedder
from opsloop.llm.embedders.openai_compatible import OpenAICompatibleEmbedder
from opsloop.llm.embedders.port import Embedder
from opsloop.rag.text.words import term_ids
from tests.sentence_encoder import write_encoder

TEXTS = ["Cats purr on the sofa.", "Dogs bark at the postman.", "Cats and dogs sleep."]


def lsa() -> Embedder:
    return LsaEmbedder.fit([np.array(term_ids(text), dtype=np.uint32) for text in TEXTS], term_ids)


def openai_compatible() -> Embedder:
    """A server whose vectors depend on nothing but the text."""

    def reply(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["input"]
        rows = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(8).tolist() for text in texts]
        return httpx.Response(200, json={"data": [{"index": at, "embedding": row} for at, row in enumerate(rows)]})

    return OpenAICompatibleEmbedder("http://models.test/v1", model="small", transport=httpx.MockTransport(reply))


def onnx() -> Embedder:
    """An encoder in a folder; a test of a port needs no weights that mean something."""
    with tempfile.TemporaryDirectory() as folder:
        return OnnxEmbedder(write_encoder(Path(folder)))


@pytest.fixture(params=[lsa, onnx, openai_compatible], ids=["lsa", "onnx", "openai-compatible"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    make: Callable[[], Embedder] = request.param
    return make()


def test_there_is_one_row_of_length_one_per_text(embedder: Embedder) -> None:
    rows = embedder.embed(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape[0] == len(TEXTS)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_row_does_not_depend_on_the_texts_beside_it(embedder: Embedder) -> None:
    assert embedder.embed(TEXTS[1:2])[0] == pytest.approx(embedder.embed(TEXTS)[1], abs=1e-6)


def test_the_same_text_is_the_same_point(embedder: Embedder) -> None:
    rows = embedder.embed([TEXTS[0], TEXTS[0], TEXTS[1]])
    assert rows[0] @ rows[1] == pytest.approx(1.0, abs=1e-5)
    assert rows[0] @ rows[2] < 0.99


def test_no_texts_are_no_rows(embedder: Embedder) -> None:
    assert len(embedder.embed([])) == 0


@pytest.mark.parametrize("make", [lsa, onnx, openai_compatible])
def test_the_identity_of_a_space_is_the_same_in_every_process(make: Callable[[], Embedder]) -> None:
    assert make().identity == make().identity != ""
