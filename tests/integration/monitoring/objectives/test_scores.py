from __future__ import annotations

import pytest

from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.objectives import scores, service
from opsloop.monitoring.objectives.scores import Score, ScoresTaken


@pytest.fixture
def answered(workspace: Workspace, admin: Caller) -> Workspace:
    """Two answers of `chat`, whose objective of quality is 80 %."""
    made = [
        RequestRecord(
            request_id=name,
            endpoint="chat",
            release="rel_1",
            arm="stable",
            subject="5ub",
            started_at=workspace.clock.now(),
            duration_ms=5.0,
            status="ok",
        )
        for name in ("one", "two")
    ]
    with workspace.writing(admin) as uow:
        records.ingest(uow, made)
        service.declare(uow, "chat", {"quality": 0.8})
    return workspace


def take(workspace: Workspace, by: Caller, *given: Score) -> ScoresTaken:
    with workspace.writing(by) as uow:
        return scores.take(uow, "chat", given)


def counted(workspace: Workspace, by: Caller, name: str) -> tuple[int, int]:
    with workspace.reading(by) as uow:
        found = next(each for each in service.standings(uow, "chat") if each.name == name)
    return found.total, found.bad


def test_scores_feed_quality_once(answered: Workspace, admin: Caller) -> None:
    given = (Score("one", 0.9), Score("two", 0.2), Score("nobody", 1.0))
    assert take(answered, admin, *given) == ScoresTaken(2, 0, ("nobody",))
    assert take(answered, admin, *given) == ScoresTaken(0, 2, ("nobody",))
    assert counted(answered, admin, "quality") == (2, 1)


def test_a_better_score_takes_the_place_of_the_first(answered: Workspace, admin: Caller) -> None:
    take(answered, admin, Score("one", 0.2))
    take(answered, admin, Score("one", 0.8))
    assert counted(answered, admin, "quality") == (1, 0)
    take(answered, admin, Score("one", 0.1, evaluator="judge"))
    assert counted(answered, admin, "quality") == (2, 1)


def test_a_leak_breaks_privacy(answered: Workspace, admin: Caller) -> None:
    take(answered, admin, Score("one", 0.0, measure="privacy", evaluator="pii_leak"))
    assert counted(answered, admin, "privacy") == (1, 1)


@pytest.mark.parametrize(
    ("score", "field"),
    [
        (Score("one", 1.5), "scores[0].value"),
        (Score("one", float("nan")), "scores[0].value"),
        (Score("a b", 1.0), "scores[0].request_id"),
        (Score("one", 1.0, evaluator="\0"), "scores[0].evaluator"),
    ],
)
def test_what_is_wrong_is_named(answered: Workspace, admin: Caller, score: Score, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        take(answered, admin, score)
    assert caught.value.facts["field"] == field
