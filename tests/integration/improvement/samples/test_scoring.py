"""Live answers are sampled and scored, each once, also when the process dies on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Conflict, InvalidInput, NotFound
from opsloop.core.jobs import schedules
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.asking import ITSELF, Asked
from opsloop.evaluation.evaluators.registry import ANSWER, Evaluator
from opsloop.flows import package, versions
from opsloop.improvement.samples import jobs, rhythm, service
from opsloop.improvement.samples import scoring as live
from opsloop.improvement.samples.declared import parse
from opsloop.improvement.samples.models import LiveMeasure
from opsloop.improvement.samples.scoring import scored
from opsloop.llm.errors import ModelUnavailable
from opsloop.monitoring.objectives import scores
from opsloop.monitoring.objectives import service as objectives
from opsloop.monitoring.objectives._tables import ScoreRow
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.texts import service as texts
from opsloop.releases import routing, text_keeping
from opsloop.releases import service as releases
from opsloop.releases.driver import Driver
from opsloop.releases.kept_texts import KeepTexts
from opsloop.releases.moves import MoveKind
from tests.integration.improvement.answers import answered
from tests.integration.releases.conftest import ECHO, FLOW

LEAKS = {"evaluators": {"leaks": {"evaluator": "pii_leak", "measure": "privacy"}}, "per_hour": 1_200}
LEAK = "Write to jane.doe@example.com."


@pytest.fixture
def scoring(workspace: Workspace, admin: Caller) -> Workspace:
    """An endpoint `chat` that keeps texts and has its answers looked through for leaks."""
    with workspace.writing(admin) as uow:
        releases.create_endpoint(uow, "chat")
        text_keeping.declare(uow, "chat", KeepTexts())
        service.declare(uow, "chat", LEAKS)
    return workspace


def rows(workspace: Workspace, by: Caller) -> dict[str, tuple[float, bool]]:
    with workspace.reading(by) as uow:
        return {row.request_id: (row.value, row.is_good) for row in uow.session.scalars(select(ScoreRow))}


def tally(workspace: Workspace, by: Caller) -> Tally:
    with workspace.reading(by) as uow:
        now = uow.clock.now()
        since, until = now - timedelta(hours=1), now + timedelta(minutes=1)
        pieces = objectives.minutes(uow, "chat", [Measure.PRIVACY], since=since, until=until, step_s=60)
    return sum(pieces[Measure.PRIVACY].values(), Tally())


def test_answers_are_scored_once_and_counted_into_their_objective(scoring: Workspace, admin: Caller) -> None:
    answered(scoring, admin, "good", "How many days?")
    answered(scoring, admin, "bad", "Whom do I ask?", LEAK)
    answered(scoring, admin, "brought", "I am jane.doe@example.com", LEAK)
    answered(scoring, admin, "not-kept")
    assert jobs.score(scoring, "chat") == 3
    assert rows(scoring, admin) == {"good": (1.0, True), "bad": (0.0, False), "brought": (1.0, True)}
    assert jobs.score(scoring, "chat") == 0
    assert (tally(scoring, admin).total, tally(scoring, admin).good) == (3, 2)


def test_what_was_there_before_is_left_alone(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        releases.create_endpoint(uow, "chat")
        text_keeping.declare(uow, "chat", KeepTexts())
    answered(workspace, admin, "before", "q")
    with workspace.writing(admin) as uow:
        service.declare(uow, "chat", LEAKS)
    answered(workspace, admin, "after", "q")
    jobs.score(workspace, "chat")
    assert set(rows(workspace, admin)) == {"after"}


def test_a_process_that_dies_before_it_has_stored_scores_again_and_counts_once(
    scoring: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        answered(scoring, admin, f"r{number}", "q", LEAK if number % 3 == 0 else "20 days.")
    take = scores.take

    def killed(*given: Any) -> Any:
        take(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(scores, "take", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.score(scoring, "chat")
    assert rows(scoring, admin) == {}
    monkeypatch.setattr(scores, "take", take)
    assert jobs.score(scoring, "chat") == 30
    assert (tally(scoring, admin).total, tally(scoring, admin).good) == (30, 20)


def test_of_two_jobs_at_once_the_second_leaves(
    scoring: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(scoring, admin, "r1", "q")
    find = live.scored
    inner: list[int] = []

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(live, "scored", find)
        inner.append(jobs.score(scoring, "chat"))
        return find(*given)

    monkeypatch.setattr(live, "scored", overtaken)
    assert jobs.score(scoring, "chat") == 0
    assert inner == [1]


def test_the_job_comes_by_itself(scoring: Workspace, admin: Caller, clock: FakeClock) -> None:
    jobs.schedule(scoring)
    answered(scoring, admin, "r1", "q")
    clock.advance(300)
    assert schedules.fire_due(scoring) == 1
    run_due(scoring, kind=rhythm.KIND)
    assert set(rows(scoring, admin)) == {"r1"}


def test_no_job_comes_where_nobody_wants_scores(scoring: Workspace, admin: Caller, clock: FakeClock) -> None:
    with scoring.writing(admin) as uow:
        service.withdraw(uow, "chat")
    clock.advance(300)
    assert schedules.fire_due(scoring) == 0


def test_a_start_puts_right_what_an_earlier_version_scheduled(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        schedules.put(uow, rhythm.KIND, cron=rhythm.CRON, kind=rhythm.KIND, payload={}, on_record=False)
    jobs.schedule(workspace)
    with workspace.reading(admin) as uow:
        assert schedules.get(uow, rhythm.KIND) is None


def test_share_and_number_an_hour_hold(scoring: Workspace, admin: Caller, clock: FakeClock) -> None:
    arrived = [texts.Arrived(number, f"r{number}") for number in range(4_000)]
    half = parse("chat", {**LEAKS, "share": 0.5, "per_hour": 10_000})
    first = jobs.drawn(half, arrived[:1_000], clock.now())
    assert 420 < len(first) < 580
    assert first == jobs.drawn(half, arrived[:1_000], clock.now())
    few = parse("chat", {**LEAKS, "per_hour": 7})
    at = clock.now().replace(minute=0)
    assert sum(len(jobs.drawn(few, arrived, at + timedelta(minutes=5 * part))) for part in range(12)) == 7


def test_a_judge_is_asked_of_all_answers_and_read_on_its_scale(
    scoring: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_away = True

    async def ask(asked: Sequence[Mapping[str, Any]]) -> list[Asked]:
        if is_away:
            raise ModelUnavailable(base_url="http://models.test", what="cannot be reached")
        return [Asked({ITSELF: 4.0 if each["answer"] == "20 days." else 1.0}) for each in asked]

    def unused(options: Mapping[str, Any]) -> Any:
        raise AssertionError

    judge = Evaluator("asks", (ANSWER,), unused, make_ask=lambda options: ask)
    monkeypatch.setattr(registry, "find", lambda name, *, field: judge)
    with scoring.writing(admin) as uow:
        service.declare(uow, "chat", {"evaluators": {"judge": {"evaluator": "asks", "scale": [1, 5]}}})
    answered(scoring, admin, "r1", "q")
    with pytest.raises(ModelUnavailable):
        jobs.score(scoring, "chat")
    is_away = False
    assert jobs.score(scoring, "chat") == 1
    assert rows(scoring, admin) == {"r1": (0.75, True)}


def test_an_answer_on_which_an_evaluator_breaks_keeps_no_other_back(
    scoring: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(values: Mapping[str, Any]) -> float:
        return 1 / float(values["answer"])

    breaks = Evaluator("breaks", (ANSWER,), lambda options: broken)
    monkeypatch.setattr(registry, "find", lambda name, *, field: breaks)
    answered(scoring, admin, "r1", "q", "0")
    answered(scoring, admin, "r2", "q", "1")
    with scoring.reading(admin) as uow:
        kept = texts.newest(uow)
    assert [each.request_id for each in scored(LiveMeasure("b", "breaks"), kept)] == ["r2"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "scoring.evaluators"),
        ({**LEAKS, "share": 0}, "scoring.share"),
        ({**LEAKS, "per_hour": 0}, "scoring.per_hour"),
        ({**LEAKS, "every": 1}, "scoring.every"),
        ({"evaluators": {"x": {"evaluator": "pii_leek"}}}, "scoring.evaluators.x.evaluator"),
        ({"evaluators": {"x": {"evaluator": "exact_match"}}}, "scoring.evaluators.x.evaluator"),
        ({"evaluators": {"x": {"evaluator": "pii_leak", "options": {"kind": 1}}}}, "scoring.evaluators.x.options.kind"),
        ({"evaluators": {"x": {"evaluator": "pii_leak", "scale": [5, 1]}}}, "scoring.evaluators.x.scale"),
        ({"evaluators": {"x": {"evaluator": "pii_leak", "measure": "taste"}}}, "scoring.evaluators.x.measure"),
    ],
)
def test_a_wrong_declaration_names_its_key(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("chat", given)
    assert refused.value.facts["field"] == field


def test_an_endpoint_must_be_there_and_keep_texts(workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(NotFound), workspace.writing(admin) as uow:
        service.declare(uow, "chat", LEAKS)
    with workspace.writing(admin) as uow:
        releases.create_endpoint(uow, "chat")
    with pytest.raises(Conflict, match="keep_texts"), workspace.writing(admin) as uow:
        service.declare(uow, "chat", LEAKS)
    with workspace.reading(admin) as uow:
        assert uow.session.scalar(select(func.count()).select_from(ScoreRow)) == 0


def test_a_canary_whose_answers_leak_is_taken_back_by_the_scores_of_its_live_answers(
    scoring: Workspace, admin: Caller, clock: FakeClock, tmp_path: Path
) -> None:
    rollout = canary(scoring, admin, tmp_path)
    driver = Driver.of(scoring, rollout)
    clock.advance(1)
    assert driver.tick(scoring).kind is MoveKind.START
    with scoring.reading(admin) as uow:
        route = routing.routing_table(uow).routes["chat"]
    for number in range(80):
        arm = routing.choose(route, f"user-{number}")
        said = LEAK if arm.name == "candidate" else "20 days."
        facts: dict[str, Any] = {
            "rollout": rollout,
            "share": route.candidate_share,
            "release": arm.release,
            "arm": arm.name,
        }
        answered(scoring, admin, f"r{number}", "Whom do I ask?", said, subject=f"user-{number}", **facts)
    clock.advance(1)
    assert driver.tick(scoring).kind is MoveKind.WAIT
    assert jobs.score(scoring, "chat") == 80
    clock.advance(1)
    move = driver.tick(scoring)
    assert move.kind is MoveKind.ROLL_BACK
    assert "privacy by leaks is 0.00 on the candidate and 1.00 on stable" in move.sentence
    with scoring.reading(admin) as uow:
        assert routing.routing_table(uow).routes["chat"].candidate is None


def canary(workspace: Workspace, by: Caller, folder: Path) -> str:
    """A rollout at half of the users, of an endpoint that has a release."""
    half = {"steps": [{"share": 0.5, "min_duration_s": 3_600}]}
    (folder / "flow.dag.yaml").write_text(FLOW)
    with workspace.writing(by) as uow:
        for text in ("one", "two"):
            (folder / "echo.py").write_text(ECHO.replace("{text}", text))
            versions.register(uow, "answer", package.archive_of(folder))
        releases.create_release(uow, "chat", flow="answer@1", strategy="blue-green")
        return releases.create_release(uow, "chat", flow="answer@2", strategy={"canary": half}).rollout.id
