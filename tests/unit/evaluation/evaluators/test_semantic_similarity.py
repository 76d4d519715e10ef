"""Similarity of meaning, offline and by a server's model."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.evaluators.asking import ITSELF
from opsloop.evaluation.evaluators.semantic_similarity import NoEmbeddingModel
from opsloop.testing.model_server import ModelServer
from tests.unit.evaluation.evaluators.scores import asked

TRUTHS = [
    "A canary release goes to few callers first.",
    "A rollback brings the old release back.",
    "The gate compares a candidate with its baseline.",
]


def similarities(answers: list[object], options: dict[str, str] | None = None) -> list[float | None]:
    rows: list[dict[str, Any]] = [
        {"answer": answer, "truth": truth} for answer, truth in zip(answers, TRUTHS, strict=True)
    ]
    return [each.scores.get(ITSELF) for each in asked("semantic_similarity", rows, options)]


def test_the_truth_itself_is_nearest_and_other_words_are_far() -> None:
    same = similarities(list(TRUTHS))
    assert same == [pytest.approx(1.0)] * 3
    near, far, none = similarities(["Few callers get a canary first.", "Bananas are yellow.", ""])
    assert near is not None
    assert 0.5 < near < 1.0
    assert (far, none) == (0.0, 0.0)


def test_what_is_no_text_is_told_and_spoils_no_other_row() -> None:
    rows: list[dict[str, Any]] = [
        {"answer": ["no", "text"], "truth": TRUTHS[0]},
        {"answer": TRUTHS[1], "truth": TRUTHS[1]},
    ]
    first, second = asked("semantic_similarity", rows)
    assert first.error is not None
    assert "wanted text" in first.error
    assert second.scores[ITSELF] == pytest.approx(1.0)


def test_a_model_embeds_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        rows = [{"answer": "Few callers get a canary.", "truth": truth} for truth in TRUTHS]
        found = asked("semantic_similarity", rows, {"model": "text-embedding-3-small"})
        assert server.count("embeddings") == 1
    scores = [each.scores[ITSELF] for each in found]
    assert scores[0] is not None
    assert max(score for score in scores if score is not None) == scores[0]
    assert found[0].use.prompt > 0
    assert found[0].use.calls == 1


def test_a_model_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSLOOP_LLM_BASE_URL", raising=False)
    with pytest.raises(NoEmbeddingModel, match="OPSLOOP_LLM_BASE_URL"):
        asked("semantic_similarity", [{"answer": "a", "truth": "b"}], {"model": "m"})
