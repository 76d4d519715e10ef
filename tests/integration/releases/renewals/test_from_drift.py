"""From a drift alarm to a champion, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmState, Outcome
from opsloop.releases.renewals.models import RenewalState
from tests.integration.releases.renewals.conftest import (
    ENDPOINT,
    LABELLED,
    OPERATOR,
    Kept,
    Make,
    Signs,
    rows,
    shuffled,
    signs_of,
)


def moved(number: int = 240, *, seed: int = 9) -> list[dict[str, object]]:
    """Rows of the other side of zero, which the first model never saw."""
    return rows(number, at=-0.5, seed=seed)


def test_a_drift_leads_to_a_new_champion_and_nobody_touches_it(make: Make) -> None:
    signs = make(labelled=LABELLED)
    alarm = signs.alarm("a moved to the other side")
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.COLLECTING
    assert "have labels, 100 are needed" in signs.newest().renewal.said
    signs.asked(moved())
    signs.later(minutes=1)
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.champion, found.challenger) == (RenewalState.ROLLING_OUT, "signs@1", "signs@2")
    assert found.gate == "pass"
    assert signs.aliases("signs@2") == ("challenger",)
    signs.roll_out()
    signs.settle()
    found = signs.newest().renewal
    assert found.state is RenewalState.PROMOTED
    stable = signs.endpoint().stable
    assert stable is not None
    assert (stable.serves, stable.config["renewal"]["pipeline"]) == ("signs@2", "signs")
    assert (signs.aliases("signs@2"), signs.aliases("signs@1")) == (("champion",), ())
    with signs.workspace.reading(OPERATOR) as uow:
        closed = alarms.get(uow, alarm.id)
    assert (closed.state, closed.outcome) == (AlarmState.CLOSED, Outcome.REPLACED)


@pytest.fixture(scope="module")
def renewed(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    def brought(workspace: Workspace, clock: FakeClock) -> None:
        signs = signs_of(workspace, clock, labelled=LABELLED)
        signs.alarm()
        signs.asked(moved())
        signs.settle()
        signs.roll_out()
        signs.settle()

    return Kept.of(tmp_path_factory.mktemp("renewed") / "data", brought)


@pytest.fixture
def promoted(renewed: Kept, tmp_path: Path, clock: FakeClock) -> Iterator[Signs]:
    """After a drift, with the challenger for its champion."""
    with renewed.copied(tmp_path, clock) as workspace:
        yield Signs(workspace, clock)


def test_the_history_links_the_alarm_the_training_the_gate_and_the_rollout(promoted: Signs) -> None:
    history = promoted.newest()
    told = [event.kind for event in history.events]
    assert told == [
        "started", "collected", "training", "preparing", "evaluating", "judging", "judged", "rolling_out", "promoted",
        "alarm_closed",
    ]  # fmt: skip
    links = {event.kind: event.noun for event in history.events}
    assert (links["started"], links["training"], links["judged"]) == ("alarm", "training_run", "evaluation")
    assert links["rolling_out"] == "rollout"


def test_the_record_says_of_each_step_what_led_to_it(promoted: Signs) -> None:
    signs = promoted
    [detail] = signs.audited("renewal.promoted")
    renewal = signs.newest().renewal
    assert detail["alarms"] == list(renewal.alarms)
    assert (detail["training_run"], detail["rollout"]) == (renewal.training_run, renewal.rollout)
    assert (detail["champion"], detail["challenger"]) == ("signs@1", "signs@2")


def test_the_challenger_is_judged_by_rows_that_neither_model_learned_from(promoted: Signs) -> None:
    signs = promoted
    judged = next(event for event in signs.newest().events if event.kind == "judged")
    assert "classification in old rows" in judged.sentence
    assert "classification in new rows" in judged.sentence
    evaluating = next(event for event in signs.newest().events if event.kind == "evaluating")
    assert evaluating.sentence.startswith(f"both answer renewal-{ENDPOINT}-old@1, renewal-{ENDPOINT}-new@1")


def test_rows_that_were_asked_have_the_time_of_asking_where_a_pipeline_is_ordered_by_time(make: Make) -> None:
    signs = make(labelled=LABELLED)
    signs.register([{"at": f"2026-01-{1 + place % 28:02d}T00:00", **row} for place, row in enumerate(rows(300))])
    signs.put(holdout={"share": 0.2, "time_ordered": "at"})
    signs.alarm()
    signs.asked(rows(150, seed=3))
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.challenger) == (RenewalState.ROLLING_OUT, "signs@2"), found.said
    with signs.workspace.reading(OPERATOR) as uow:
        learned = list(datasets.rows(uow, datasets.get(uow, "renewal-signs")))
    asked_at = f"{signs.clock.now():%Y-%m-%dT%H:%M:%S}"
    assert sum(row["at"] == asked_at for row in learned) == 150
    assert all(row["at"] for row in learned)


def test_a_second_alarm_joins_the_renewal_that_goes_on(make: Make) -> None:
    signs = make(labelled=LABELLED)
    first = signs.alarm()
    signs.settle()
    with signs.workspace.writing(OPERATOR) as uow:
        alarms.close(uow, first.id, outcome=Outcome.RESET, reason="to see it once more")
    second = signs.alarm("and again")
    signs.settle()
    [only] = signs.renewals()
    assert only.alarms == (first.id, second.id)


def test_a_renewal_soon_after_another_is_skipped_and_that_is_on_record(promoted: Signs) -> None:
    signs = promoted
    signs.alarm("again so soon")
    signs.settle()
    newest = signs.newest().renewal
    assert newest.state is RenewalState.SKIPPED
    assert "its cool-down lasts to" in newest.said
    assert signs.audited("renewal.skipped")[0]["reason"] == newest.said
    signs.later(hours=2)
    signs.settle()
    taken_up = signs.newest().renewal
    assert (taken_up.state, taken_up.alarms) == (RenewalState.COLLECTING, newest.alarms)


def test_an_alarm_that_somebody_closed_in_the_cool_down_is_not_taken_up(promoted: Signs) -> None:
    signs = promoted
    soon = signs.alarm("again so soon")
    signs.settle()
    with signs.workspace.writing(OPERATOR) as uow:
        alarms.close(uow, soon.id, outcome=Outcome.RESET, reason="it was the weather")
    signs.later(hours=2)
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.SKIPPED


def test_labels_that_do_not_come_end_it_after_a_while(make: Make) -> None:
    signs = make(labelled={**LABELLED, "patience": "1d"})
    signs.alarm()
    signs.settle()
    signs.later(days=2)
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, "too few rows to learn from" in found.said) == (RenewalState.SKIPPED, True)


def test_an_endpoint_without_a_policy_or_with_one_that_leaves_drift_out_is_left_alone(make: Make) -> None:
    signs = make(on=["schedule"])
    signs.alarm()
    signs.settle()
    assert signs.renewals() == []


def test_nothing_new_to_learn_is_on_record_as_no_reason_to_train(make: Make) -> None:
    signs = make()
    signs.alarm()
    signs.settle()
    found = signs.newest().renewal
    assert found.state is RenewalState.SKIPPED
    assert "neither data nor pipeline have changed" in found.said


def test_labels_that_are_wrong_make_no_champion(make: Make) -> None:
    signs = make(labelled=LABELLED)
    signs.alarm()
    signs.asked(shuffled(moved()))
    signs.register(shuffled(rows(300)))  # and the data of the pipeline
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.gate) == (RenewalState.REJECTED, "fail")
    assert "classification in old rows" in found.said
    assert signs.aliases("signs@2") == ()
    stable = signs.endpoint().stable
    assert stable is not None
    assert stable.serves == "signs@1"
