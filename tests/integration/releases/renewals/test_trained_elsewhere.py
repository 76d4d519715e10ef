"""Challengers that a schedule trained, and planted data that must never serve."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from opsloop.releases.renewals.models import RenewalState
from tests.integration.releases.renewals.conftest import Make, Row, half_flipped, rows, shuffled


def test_a_scheduled_training_goes_the_same_way(make: Make) -> None:
    signs = make()
    signs.register([*rows(300), *rows(200, at=-0.5, seed=4)])
    signs.train(trigger="schedule")
    signs.settle()
    found = signs.newest().renewal
    assert (found.cause, found.state, found.challenger) == ("schedule", RenewalState.ROLLING_OUT, "signs@2")
    signs.roll_out()
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.PROMOTED
    assert signs.aliases("signs@2") == ("champion",)


@pytest.mark.parametrize("planted", [shuffled, half_flipped])
@pytest.mark.parametrize("number", [300, 900])
def test_a_planted_bad_version_of_the_data_is_never_promoted(
    make: Make, planted: Callable[[Sequence[Row]], list[Row]], number: int
) -> None:
    signs = make()
    signs.register(planted(rows(number, seed=8)))
    signs.train(trigger="schedule")
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.rollout) == (RenewalState.REJECTED, None)
    assert "classification in old rows" in found.said
    stable = signs.endpoint().stable
    assert stable is not None
    assert (stable.serves, signs.aliases("signs@1"), signs.aliases("signs@2")) == ("signs@1", ("champion",), ())
    assert signs.audited("renewal.rejected")[0]["reason"] == found.said


def test_a_bad_version_that_hides_among_the_old_rows_is_found_too(make: Make) -> None:
    signs = make()
    signs.register([*rows(300), *shuffled(rows(600, seed=8))])
    signs.train(trigger="schedule")
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.REJECTED


def test_a_training_on_demand_challenges_nobody_unless_the_policy_says_so(make: Make) -> None:
    signs = make()
    signs.register(rows(400, seed=4))
    signs.train(trigger="demand")
    signs.settle()
    assert signs.renewals() == []


def test_a_scheduled_training_beside_a_renewal_is_on_record_as_left_alone(make: Make) -> None:
    signs = make(approve="person")
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.train(trigger="schedule")
    signs.settle()
    signs.register([*rows(300), *rows(300, seed=5)])
    signs.train(trigger="schedule")
    signs.settle()
    newest, first = signs.renewals()
    assert (first.state, newest.state) == (RenewalState.AWAITING_APPROVAL, RenewalState.SKIPPED)
    assert first.id in newest.said


def test_a_golden_dataset_judges_in_place_of_the_rows_held_out(make: Make) -> None:
    signs = make(dataset="golden")
    signs.register(rows(150, seed=77), "golden")
    signs.register(shuffled(rows(300, seed=3)))
    signs.train(trigger="schedule")
    signs.settle()
    found = signs.newest()
    assert found.renewal.state is RenewalState.REJECTED
    assert "both answer golden@1" in [event.sentence for event in found.events]


def test_where_the_truth_itself_changed_the_new_rows_alone_can_judge(make: Make) -> None:
    wrong = {"yes": "no", "no": "yes"}
    changed = [{**row, "same": wrong[row["same"]]} for row in rows(300, seed=3)]
    signs = make(compare_on="new")
    signs.register(changed)
    signs.train(trigger="schedule")
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.ROLLING_OUT


def test_a_declared_gate_stands_in_place_of_the_default_one(make: Make) -> None:
    gate = {"rules": [{"metric": "classification", "at_least": 0.999}]}
    signs = make(evaluators=["classification"], gate=gate)
    signs.register(rows(400, seed=4))
    signs.train(trigger="schedule")
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.gate) == (RenewalState.REJECTED, "fail")
