from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.events._tables import OutboxRow
from opsloop.core.ids import RandomIds
from opsloop.core.notices import service as notices
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.datasets.expectations import declared
from opsloop.monitoring import metrics
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmState, Outcome
from opsloop.monitoring.drift import watches
from opsloop.monitoring.drift.hooks import Hook
from opsloop.monitoring.drift.watch import Watch, Watched
from opsloop.monitoring.expectations.compiled import compiled
from tests.integration.monitoring.drift.counting import CountingMethod

WATCHED = Watched(endpoint="iris", release="rel_1", model="iris@3", digest="abc")
QUIET = np.zeros((3, 2))
CHANGED = np.full((3, 2), 2.0)


def watch(workspace: Workspace) -> Watch:
    return Watch(workspace, WATCHED, lambda baseline: CountingMethod(baseline=baseline))


def see(watch: Watch, rows: np.ndarray, times: int = 1) -> None:
    for _ in range(times):
        watch.observe(rows, [0] * len(rows), 0.0)


@pytest.fixture
def another(tmp_path: Path, migrated_url: str, workspace: Workspace, clock: FakeClock) -> Iterator[Workspace]:
    """A second replica: the same database, another data folder."""
    settings = CoreSettings(data_dir=tmp_path / "another", database_url=migrated_url)
    opened = open_workspace(settings, clock=clock, ids=RandomIds())
    yield opened
    opened.close()


def raised(workspace: Workspace, by: Caller) -> list[str]:
    with workspace.reading(by) as uow:
        return [alarm.sentence for alarm in alarms.listed(uow, endpoint="iris")]


def told(workspace: Workspace, by: Caller) -> int:
    with workspace.reading(by) as uow:
        return len(uow.session.scalars(select(OutboxRow).where(OutboxRow.type == "drift.detected")).all())


def test_rows_that_did_not_change_raise_nothing(workspace: Workspace, admin: Caller) -> None:
    seeing = watch(workspace)
    see(seeing, QUIET, times=10)
    assert seeing.report() is None
    assert raised(workspace, admin) == []


def test_a_change_raises_one_alarm_and_tells_it_once(workspace: Workspace, admin: Caller) -> None:
    seeing = watch(workspace)
    see(seeing, CHANGED, times=2)
    found = seeing.report()
    see(seeing, CHANGED, times=2)
    assert found is not None
    assert found.state is AlarmState.OPEN
    assert found.model == "iris@3"
    assert seeing.report() is None
    assert raised(workspace, admin) == ["length is larger"]
    assert told(workspace, admin) == 1


def test_a_detection_lasts_until_the_alarm_is_closed(workspace: Workspace) -> None:
    seeing = watch(workspace)
    see(seeing, CHANGED, times=2)
    seeing.report()
    assert seeing.observe(QUIET, [0, 0, 0], 0.0).detected


def test_a_process_killed_after_its_report_raises_no_second_alarm(workspace: Workspace, admin: Caller) -> None:
    killed = watch(workspace)
    see(killed, CHANGED, times=2)
    killed.report()
    restarted = watch(workspace)
    assert restarted.observe(QUIET, [0, 0, 0], 0.0).detected
    see(restarted, CHANGED, times=5)
    assert restarted.report() is None
    assert told(workspace, admin) == 1


def test_a_process_killed_before_its_report_finds_the_change_again(workspace: Workspace, admin: Caller) -> None:
    killed = watch(workspace)
    see(killed, CHANGED)
    killed.report()
    see(killed, CHANGED)
    restarted = watch(workspace)
    assert restarted.report() is None
    see(restarted, CHANGED)
    assert restarted.report() is not None
    assert told(workspace, admin) == 1


def test_an_alarm_that_is_in_the_checkpoint_only_is_reported_by_the_next_start(
    workspace: Workspace, admin: Caller
) -> None:
    with workspace.writing(admin) as uow:
        watches.held(uow, "iris", "rel_1", model="iris@3", digest="abc", about={})
    killed = watch(workspace)
    see(killed, CHANGED, times=2)
    with workspace.writing(admin) as uow:
        watches.keep(uow, "iris", "rel_1", killed._checkpoint())
    restarted = watch(workspace)
    assert restarted.report() is not None
    assert told(workspace, admin) == 1


def test_two_replicas_that_see_half_of_a_change_each_raise_one_alarm_together(
    workspace: Workspace, another: Workspace, admin: Caller
) -> None:
    first, second = watch(workspace), watch(another)
    see(first, CHANGED)
    see(second, CHANGED)
    assert first.report() is None
    assert second.report() is not None
    assert first.report() is None
    assert first.observe(QUIET, [0, 0, 0], 0.0).detected
    assert told(workspace, admin) == 1


def test_a_closed_alarm_lets_every_replica_begin_anew(workspace: Workspace, another: Workspace, admin: Caller) -> None:
    first, second = watch(workspace), watch(another)
    see(first, CHANGED, times=2)
    alarm = first.report()
    second.report()
    assert alarm is not None
    with workspace.writing(admin) as uow:
        watches.begin_anew(uow, "iris", "rel_1")
        alarms.close(uow, alarm.id, outcome=Outcome.RESET, reason="the sensor was cleaned")
    first.report()
    second.report()
    for each in (first, second):
        reading = each.observe(QUIET, [0, 0, 0], 0.0)
        assert not reading.detected
        assert reading.score == 0
    see(first, CHANGED, times=2)
    assert first.report() is not None
    assert told(workspace, admin) == 2


def test_an_accepted_normal_is_the_reference_from_then_on(workspace: Workspace, admin: Caller) -> None:
    seeing = watch(workspace)
    with workspace.writing(admin) as uow:
        watches.begin_anew(uow, "iris", "rel_1", baseline="drift/baselines/1")
    seeing.report()
    with workspace.reading(admin) as uow:
        stored = watches.get(uow, "iris", "rel_1")
    assert stored is not None
    assert stored.about["drift"]["baseline"] == "drift/baselines/1"


def test_a_new_replica_goes_on_where_one_that_is_gone_stopped(
    workspace: Workspace, another: Workspace, admin: Caller, clock: FakeClock
) -> None:
    gone = watch(workspace)
    see(gone, CHANGED)
    gone.report()
    clock.advance(600)
    successor = watch(another)
    see(successor, CHANGED)
    assert successor.report() is not None


def test_a_checkpoint_of_other_options_is_left_aside(workspace: Workspace) -> None:
    before = Watch(workspace, WATCHED, lambda _: CountingMethod(needed=50))
    see(before, CHANGED)
    before.report()
    assert watch(workspace).observe(QUIET, [0, 0, 0], 0.0).score == 0


def test_another_release_is_watched_by_itself(workspace: Workspace, admin: Caller) -> None:
    seeing = watch(workspace)
    see(seeing, CHANGED, times=2)
    seeing.report()
    candidate = Watch(
        workspace, Watched("iris", "rel_2", "iris@4", "def"), lambda baseline: CountingMethod(baseline=baseline)
    )
    assert not candidate.observe(QUIET, [0, 0, 0], 0.0).detected


def test_the_score_stands_by_release_until_the_release_is_watched_no_more(workspace: Workspace) -> None:
    stable = watch(workspace)
    canary = Watch(
        workspace, Watched("iris", "rel_2", "iris@4", "def"), lambda baseline: CountingMethod(baseline=baseline)
    )
    see(canary, CHANGED)
    for each in (stable, canary):
        see(each, QUIET)
        each.report()
    shown = scores()
    assert shown["rel_2"] > shown["rel_1"] == 0.0
    canary.close()
    assert scores() == {"rel_1": 0.0}
    stable.close()


def scores() -> dict[str, float]:
    samples = [sample for metric in metrics.drift_score.collect() for sample in metric.samples]
    return {each.labels["release"]: each.value for each in samples if each.labels["endpoint"] == "iris"}


def test_a_detector_that_fails_does_not_fail_the_request(workspace: Workspace) -> None:
    assert not watch(workspace).observe(np.zeros(3), [0, 0, 0], 0.0).detected


def test_the_thread_reports_a_detection_at_once(workspace: Workspace, admin: Caller) -> None:
    seeing = watch(workspace).start()
    see(seeing, CHANGED, times=2)
    seeing.close()
    assert raised(workspace, admin) == ["length is larger"]


def test_a_webhook_is_told_in_the_transaction_of_the_alarm(workspace: Workspace, admin: Caller) -> None:
    seeing = Watch(
        workspace,
        WATCHED,
        lambda baseline: CountingMethod(baseline=baseline),
        told_to=(Hook("http://127.0.0.1:9/a", "s3cret"), Hook("https://hooks.slack.com/services/a", form="slack")),
    )
    see(seeing, CHANGED, times=4)
    seeing.report()
    seeing.report()
    with workspace.reading(admin) as uow:
        found = notices.listed(uow, about="endpoint/iris")
    assert sorted((each.kind, each.to) for each in found) == [
        ("drift.detected", "http://127.0.0.1:9"),
        ("drift.detected", "https://hooks.slack.com"),
    ]


def test_a_broken_expectation_is_drift_of_that_request_and_counted_by_rule(workspace: Workspace) -> None:
    rules = compiled(
        declared.parse([{"expect": "between", "column": "length", "max": 1}]), {"length": "number", "width": "number"}
    )
    seeing = Watch(workspace, WATCHED, lambda baseline: CountingMethod(needed=10**6, baseline=baseline), rules)
    before = metrics.broken_expectations.labels("iris", "between length (max 1)")._value.get()
    reading = seeing.observe(CHANGED, [0, 0, 0], 0.0)
    assert (reading.detected, reading.is_new, reading.broken) == (True, False, ("between length (max 1)",))
    assert not seeing.observe(QUIET, [0, 0, 0], 0.0).detected
    assert metrics.broken_expectations.labels("iris", "between length (max 1)")._value.get() == before + 1


def test_a_webhook_that_is_no_address_does_not_keep_an_alarm_back(
    workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_DRIFT_WEBHOOK", "nonsense")
    seeing = watch(workspace)
    see(seeing, CHANGED, times=2)
    assert seeing.report() is not None


def test_a_replica_without_rows_keeps_its_evidence_to_itself(
    workspace: Workspace, another: Workspace, clock: FakeClock
) -> None:
    quiet = watch(workspace)
    see(quiet, CHANGED)
    quiet.report()
    for _ in range(10):
        clock.advance(61)
        quiet.report()
    assert watch(another).observe(QUIET, [0, 0, 0], 0.0).score == 0


def test_a_replica_that_is_gone_for_long_is_no_part_of_the_evidence(
    workspace: Workspace, another: Workspace, clock: FakeClock
) -> None:
    gone, seeing = watch(workspace), watch(another)
    see(gone, CHANGED)
    gone.report()
    clock.advance(4_000)
    see(seeing, QUIET)
    seeing.report()
    see(seeing, CHANGED)
    assert seeing.report() is None
