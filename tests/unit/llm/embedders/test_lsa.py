from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput
from opsloop.llm.embedders._sparse import counted
from opsloop.llm.embedders.lsa import LsaEmbedder, weighted

WORDS = {"cat": 1, "kitten": 2, "purr": 3, "dog": 4, "puppy": 5, "bark": 6, "bank": 7, "loan": 8}


def analyse(text: str) -> list[int]:
    return [WORDS[word] for word in text.split() if word in WORDS]


def ids(text: str) -> NDArray[np.uint32]:
    return np.array(analyse(text), dtype=np.uint32)


TEXTS = [
    "cat purr",
    "kitten purr",
    "cat kitten purr",
    "dog bark",
    "puppy bark",
    "dog puppy bark",
    "bank loan",
    "loan bank",
]


def fitted(*, dimensions: int = 3, seed: int = 0) -> LsaEmbedder:
    return LsaEmbedder.fit([ids(text) for text in TEXTS], analyse, dimensions=dimensions, seed=seed)


def test_words_that_stand_with_the_same_words_are_near() -> None:
    cat, kitten, dog = fitted().embed(["cat", "kitten", "dog"])
    assert cat @ kitten > 0.95
    assert abs(cat @ dog) < 0.1


def test_rows_have_length_one_and_unknown_texts_zero() -> None:
    rows = fitted().embed(["cat bark", "nothing known", ""])
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 0, 0], abs=1e-6)


def test_the_directions_are_those_of_an_exact_decomposition() -> None:
    random = np.random.default_rng(3)
    documents = [random.integers(0, 60, size=30).astype(np.uint32) for _ in range(80)]
    embedder = LsaEmbedder.fit(documents, analyse, dimensions=10)
    vocabulary, weights = embedder._vocabulary, embedder._weights
    dense = weighted(counted(documents, vocabulary), weights).times(np.eye(len(vocabulary), dtype=np.float32))
    best = float(np.sum(np.linalg.svd(dense)[1][:10] ** 2) / np.sum(dense**2))
    assert embedder.explained(documents) == pytest.approx(best, abs=0.01)


def test_the_same_documents_and_seed_give_the_same_bytes() -> None:
    assert fitted().to_bytes() == fitted().to_bytes()
    assert fitted().identity == fitted().identity
    assert fitted().identity != fitted(dimensions=2).identity


def test_bytes_bring_the_embedder_back() -> None:
    embedder = fitted()
    again = LsaEmbedder.from_bytes(embedder.to_bytes(), analyse)
    assert again.identity == embedder.identity
    assert again.embed(["cat", "loan"]) == pytest.approx(embedder.embed(["cat", "loan"]), abs=2e-3)


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04broken"])
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="re-index"):
        LsaEmbedder.from_bytes(data, analyse)


@pytest.mark.parametrize("texts", [[], ["nothing"], ["cat"], ["cat", "cat"]])
def test_collections_too_small_to_learn_from_still_embed(texts: list[str]) -> None:
    embedder = LsaEmbedder.fit([ids(text) for text in texts], analyse)
    assert np.isfinite(embedder.embed(["cat", "dog"])).all()
    assert 0 <= embedder.explained([ids(text) for text in texts]) <= 1


def test_a_large_collection_is_fitted_on_a_sample() -> None:
    documents = [ids(TEXTS[number % len(TEXTS)]) for number in range(5_100)]
    sampled = LsaEmbedder.fit(documents, analyse, dimensions=3).explained(documents)
    assert sampled == pytest.approx(fitted().explained(documents), abs=0.01)
