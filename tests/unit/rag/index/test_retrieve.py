from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from opsloop.llm.embedders.lsa import LsaEmbedder
from opsloop.rag.index import retrieve
from opsloop.rag.index.memory import BuiltIndex, build
from opsloop.rag.index.retrieve import Ranked, trusted_weight
from opsloop.rag.index.segment import StoredWindow
from opsloop.rag.text.words import term_ids

TEXTS = (
    "Cats purr and sleep on the warm sofa.",
    "Dogs bark at the postman every morning.",
    "A cat sleeps while dogs bark outside.",
    "Invoices are paid within thirty days.",
)


def index_of(texts: Sequence[str], *, vectors: bool = True, weight: float = 0.3) -> BuiltIndex:
    """One window per chunk, one chunk per document."""
    ids = [np.array(term_ids(text), dtype=np.uint32) for text in texts]
    embedder = LsaEmbedder.fit(ids, term_ids, dimensions=3) if vectors else None
    rows = embedder.embed_ids(ids).astype("<f2") if embedder else None
    windows = [
        StoredWindow(
            number,
            number,
            f"doc_{number}",
            b"",
            own.astype("<u4").tobytes(),
            rows[number].tobytes() if rows is not None else None,
        )
        for number, own in enumerate(ids)
    ]
    return built(windows, embedder, weight)


def built(windows: Sequence[StoredWindow], embedder: LsaEmbedder | None = None, weight: float = 0.0) -> BuiltIndex:
    index = build([windows], embedder.dimensions if embedder else 0, embedder, weight)
    assert index is not None
    return index


def rank(index: BuiltIndex, question: str, **options: object) -> list[Ranked]:
    vector = index.embedder.embed([question])[0] if index.embedder else None
    return retrieve.rank(index, question, vector=vector, **options)  # type: ignore[arg-type]


def rows(index: BuiltIndex, question: str, **options: object) -> list[int]:
    return [found.chunk_row for found in rank(index, question, **{"top_k": 4, **options})]


def test_the_chunk_that_shares_most_with_the_question_is_first() -> None:
    assert rows(index_of(TEXTS), "When are invoices paid?")[0] == 3
    assert rows(index_of(TEXTS), "cat and dogs")[0] == 2


def test_scores_are_relative_to_the_best_and_fall() -> None:
    found = rank(index_of(TEXTS), "sleeping cats", top_k=4)
    scores = [one.score for one in found]
    assert scores[0] == pytest.approx(1.0, abs=0.01)
    assert scores == sorted(scores, reverse=True)


def test_an_index_without_vectors_ranks_by_words() -> None:
    assert rows(index_of(TEXTS, vectors=False), "barking dogs") == [1, 2]


def test_what_is_not_allowed_is_not_found() -> None:
    index = index_of(TEXTS)
    allowed = index.of_documents(["doc_1", "doc_3"])
    assert allowed.tolist() == [False, True, False, True]
    assert 2 not in rows(index, "cat and dogs", allowed=allowed)


def test_a_question_that_matches_nothing_finds_nothing() -> None:
    assert rank(index_of(TEXTS), "quantum chromodynamics", top_k=4) == []


def test_what_is_like_the_question_by_rounding_alone_is_not_found() -> None:
    index = index_of(("Cats purr on the sofa.", "Invoices are paid within thirty days."))
    assert index.embedder is not None
    vector = index.embedder.embed(["cats purr"])[0]
    nudge = index.embedder.embed(["invoices"])[0] * np.float32(1e-4)
    found = retrieve.rank(index, "cats purr", vector=vector + nudge, top_k=4)
    assert [one.chunk_row for one in found] == [0]


def test_no_more_than_top_k_are_found() -> None:
    assert len(rows(index_of(TEXTS), "cats dogs invoices", top_k=2)) == 2


def test_diversity_puts_a_different_chunk_before_a_copy() -> None:
    index = index_of((*TEXTS[:2], TEXTS[0], "The sofa is green."))
    assert set(rows(index, "cats purr on the sofa", top_k=2)) == {0, 2}
    assert rows(index, "cats purr on the sofa", top_k=2, diversity=0.6) == [0, 3]


def test_the_best_window_of_a_chunk_is_named() -> None:
    parts = [
        np.array(term_ids(text), "<u4").tobytes() for text in ("Nothing here.", "Parental leave lasts weeks.", "Other.")
    ]
    index = built([StoredWindow(number, 1, "doc", b"", own, None) for number, own in enumerate(parts)])
    (found,) = rank(index, "parental leave", top_k=5)
    assert (found.chunk_row, found.window_row) == (0, 1)


def test_a_heading_is_found_once_for_the_chunk_and_with_each_window() -> None:
    heading = np.array(term_ids("Refunds"), "<u4").tobytes()
    body = [np.array(term_ids(text), "<u4").tobytes() for text in ("Thirty days.", "Write to us.")]
    index = built([StoredWindow(number, 1, "doc", heading, own, None) for number, own in enumerate(body)])
    assert index.window_lexicon.scores(term_ids("refund")).all()
    assert index.parts[0].segment.chunk_postings.rows.tolist().count(0) == len(
        set(term_ids("Refunds. Thirty days. Write to us."))
    )


def test_vectors_weigh_as_much_as_they_explain() -> None:
    assert trusted_weight(0.0) == 0.0
    assert trusted_weight(1.0) == pytest.approx(0.4)
