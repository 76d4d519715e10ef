from __future__ import annotations

import numpy as np
import pytest

from opsloop.rag.index import retrieve
from opsloop.rag.index.memory import BuiltIndex, build
from opsloop.rag.index.segment import StoredWindow
from opsloop.rag.text.words import term_ids

DIMENSIONS = 64
SUBJECTS = ("cats", "dogs", "invoices", "leave", "laptops", "travel", "bicycles")


def vector(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    row = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    unit: np.ndarray[tuple[int], np.dtype[np.float32]] = row / np.linalg.norm(row)
    return unit


def document(number: int, windows: int = 2) -> list[StoredWindow]:
    """A document of one chunk with windows that speak of one subject."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    return [
        StoredWindow(
            seq=10 * number + place,
            chunk_seq=10 * number,
            document_id=f"doc_{number}",
            heading_terms=np.array(term_ids("Handbook"), "<u4").tobytes(),
            terms=np.array(term_ids(f"{subject} number{number} part{place}"), "<u4").tobytes(),
            vector=vector(10 * number + place).astype("<f2").tobytes(),
        )
        for place in range(windows)
    ]


def whole(numbers: list[int]) -> BuiltIndex:
    index = build([[window for number in numbers for window in document(number)]], DIMENSIONS, None, 0.4)
    assert index is not None
    return index


def found(index: BuiltIndex, question: str, seed: int) -> list[tuple[int, int, float]]:
    ranked = retrieve.rank(index, question, top_k=10, vector=vector(seed))
    return [(index.chunk_seq(one.chunk_row), index.window_seq(one.window_row), round(one.score, 5)) for one in ranked]


def test_what_came_one_by_one_ranks_as_what_came_at_once() -> None:
    index: BuiltIndex | None = whole([0])
    for number in range(1, 40):
        assert index is not None
        index = index.changed(added=document(number))
    assert index is not None
    for seed, subject in enumerate(SUBJECTS):
        assert found(index, subject, seed) == found(whole(list(range(40))), subject, seed)


def test_what_is_gone_ranks_as_if_it_had_never_come() -> None:
    index = whole(list(range(40))).changed(gone=[f"doc_{number}" for number in range(0, 40, 4)])
    assert index is not None
    left = [number for number in range(40) if number % 4]
    assert index.documents == len(index.known()) == 30
    for seed, subject in enumerate(SUBJECTS):
        assert found(index, subject, seed) == found(whole(left), subject, seed)


def test_a_document_that_comes_anew_is_there_once() -> None:
    index = whole([0, 1, 2]).changed(gone=["doc_1"], added=document(1, windows=3))
    assert index is not None
    assert index.known() == {"doc_0", "doc_1", "doc_2"}
    assert [chunk for chunk, _, _ in found(index, "number1", 11)].count(10) == 1


def test_an_index_without_documents_is_none() -> None:
    assert whole([0, 1]).changed(gone=["doc_0", "doc_1"]) is None


def test_many_changes_leave_few_parts_and_no_dead_ones() -> None:
    index: BuiltIndex | None = whole(list(range(50)))
    for number in range(50, 120):
        assert index is not None
        index = index.changed(gone=[f"doc_{number - 50}"], added=document(number))
    assert index is not None
    assert index.documents == 50
    assert len(index.parts) <= 2
    assert index.windows <= 2 * 50 / 0.7


@pytest.mark.parametrize("allowed", [None, 0.5, 0.02])
def test_candidates_by_sign_hold_the_nearest(monkeypatch: pytest.MonkeyPatch, allowed: float | None) -> None:
    """Exact and by signs find the same nearest ten of 3,000, also when few of them may be found."""
    index = build([document(number, windows=1) for number in range(3_000)], DIMENSIONS, None, 1.0)
    assert index is not None
    flags = None if allowed is None else np.random.default_rng(1).random(3_000) < allowed
    hits = 0
    for seed in range(20):
        asked = vector(10 * seed * 7) + 0.3 * vector(900_000 + seed)

        def nearest(asked: np.ndarray[tuple[int], np.dtype[np.float32]] = asked) -> set[int]:
            ranked = retrieve.rank(index, "none", top_k=10, vector=asked, allowed=flags)
            return {one.chunk_row for one in ranked}

        exact = nearest()
        with monkeypatch.context() as patched:
            patched.setattr(retrieve, "EXACT_WINDOWS", 100)
            hits += len(exact & nearest())
    assert hits >= 0.98 * 200


def test_vectors_come_back_as_every_half_precision_number_they_may_hold() -> None:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)]
    rows = np.append(finite, np.zeros(-len(finite) % DIMENSIONS, np.float16)).reshape(-1, DIMENSIONS)
    windows = [
        StoredWindow(number, number, f"doc_{number}", b"", b"", row.astype("<f2").tobytes())
        for number, row in enumerate(rows)
    ]
    index = build([windows[:500], windows[500:]], DIMENSIONS, None, 1.0)
    assert index is not None
    assert np.array_equal(index.vectors(np.arange(len(rows))), rows.astype(np.float32))
