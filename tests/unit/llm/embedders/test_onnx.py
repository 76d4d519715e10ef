from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.llm.embedders.onnx import MOST_TOKENS, TEXTS_AT_ONCE, OnnxEmbedder
from tests.sentence_encoder import DIMENSIONS, write_encoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_encoder(tmp_path / "encoder")


def test_a_text_is_the_mean_of_its_words_at_length_one(folder: Path) -> None:
    embedder = OnnxEmbedder(folder)
    cats, dogs, both = embedder.embed(["cats", "dogs", "cats dogs"])
    assert both.shape == (DIMENSIONS,)
    assert np.linalg.norm(both) == pytest.approx(1.0)
    # The vectors of single words have lost their lengths, so the mean lies between them, in their plane.
    plane = np.stack([cats, dogs]).T
    assert np.linalg.lstsq(plane, both)[1] == pytest.approx(0.0, abs=1e-6)


def test_texts_of_many_lengths_keep_their_order(folder: Path) -> None:
    embedder = OnnxEmbedder(folder)
    texts = [" ".join(["cats"] * (1 + number % 7) + ["dogs"]) for number in range(2 * TEXTS_AT_ONCE + 3)]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    assert embedder.embed(texts) == pytest.approx(alone, abs=1e-6)


def test_what_stands_behind_the_last_token_is_not_read(folder: Path) -> None:
    embedder = OnnxEmbedder(folder)
    long = "cats " * MOST_TOKENS
    assert embedder.embed([long + "dogs " * 500])[0] == pytest.approx(embedder.embed([long])[0], abs=1e-6)


def test_the_identity_is_that_of_the_files_wherever_they_lie(folder: Path, tmp_path: Path) -> None:
    copy = write_encoder(tmp_path / "copy")
    other = write_encoder(tmp_path / "other", seed=1)
    assert OnnxEmbedder(copy).identity == OnnxEmbedder(folder).identity != OnnxEmbedder(other).identity


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InvalidInput, match=r"tokenizer\.json, which is not there"):
        OnnxEmbedder(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_something_else_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"nothing of the kind")
    with pytest.raises(InvalidInput, match=f"{name} is no"):
        OnnxEmbedder(folder)


def test_a_model_that_wants_something_else_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "encoder", inputs=("input_ids", "pixels"))
    with pytest.raises(InvalidInput, match="takes pixels"):
        OnnxEmbedder(folder)
