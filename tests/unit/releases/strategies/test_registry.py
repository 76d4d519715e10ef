"""Strategies as users declare them."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.releases.models import RolloutStep
from opsloop.releases.plan import ApprovalPlan, Plan, from_stored, to_stored
from opsloop.releases.strategies.registry import known, plan_of
from opsloop.releases.windows import Window


def test_the_strategies_of_this_package_are_found() -> None:
    assert {"blue-green", "canary"} <= set(known())


def test_a_canary_without_options_rises_in_steps_below_one() -> None:
    shares = [step.share for step in plan_of("canary").steps]
    assert shares == sorted(set(shares))
    assert 0 < shares[0] < shares[-1] < 1


def test_a_canary_takes_its_steps_and_its_analysis_from_its_options() -> None:
    options = {
        "steps": [{"share": 0.1, "min_duration_s": 15, "min_subjects": 40}],
        "analysis": {"alpha": 0.02, "kinds": ["error", "slow", "error"], "slow_ms": 900},
        "shield": False,
    }
    plan = plan_of({"canary": options})
    assert plan.steps == (RolloutStep(0.1, 15.0, 40),)
    assert (plan.analysis.alpha, plan.analysis.kinds, plan.analysis.slow_ms) == (0.02, ("error", "slow"), 900.0)
    assert not plan.shield


def test_a_shadow_goes_on_as_a_canary_unless_it_is_to_promote() -> None:
    plan = plan_of({"shadow": {"min_pairs": 50, "then": {"canary": {"steps": [{"share": 0.2}], "shield": False}}}})
    assert plan.shadow is not None
    assert (plan.shadow.min_pairs, [step.share for step in plan.steps], plan.shield) == (50, [0.2], False)
    assert plan_of({"shadow": {"then": "promote"}}).steps == ()


def test_a_shadow_and_the_canary_after_it_are_watched_in_the_same_way() -> None:
    plan = plan_of({"shadow": {"analysis": {"kinds": ["error", "slow"], "slow_ms": 50}}})
    assert (plan.analysis.kinds, plan.analysis.slow_ms) == (("error", "slow"), 50.0)


def test_a_step_may_be_one_of_approval_and_so_may_the_end() -> None:
    plan = plan_of({"canary": {"steps": [{"share": 0.1}, {"approve": True}, {"share": 0.5}, {"approve": True}]}})
    assert [step.share for step in plan.steps] == [0.1, 0.5]
    assert plan.approval.places == (1, 2)


@pytest.mark.parametrize(
    ("declared", "places"),
    [
        ({"blue-green": {"approval": "before"}}, (0,)),
        ({"canary": {"approval": "before"}}, (0,)),
        ({"canary": {"approval": "each"}}, (0, 1, 2, 3)),
        ({"shadow": {"approval": "before"}}, (-1,)),
        ({"shadow": {"approval": "each", "then": "promote"}}, (-1, 0)),
        ({"shadow": {"then": {"canary": {"steps": [{"approve": True}, {"share": 0.2}]}}}}, (0,)),
    ],
)
def test_every_strategy_can_ask_for_approval(declared: Any, places: tuple[int, ...]) -> None:
    assert plan_of(declared).approval.places == places


def test_windows_are_hours_of_days_or_cron_expressions() -> None:
    hours = {"days": ["mon-wed", "sat"], "from": "09:00", "to": 1020, "timezone": "Europe/Berlin"}
    plan = plan_of(
        {"blue-green": {"windows": [hours, "* 9-16 * * 1-5"], "approval": {"when": "each", "four_eyes": True}}}
    )
    assert plan.windows == (Window("Europe/Berlin", (0, 1, 2, 5), 540, 1020), Window(cron="* 9-16 * * 1-5"))
    assert plan.approval == ApprovalPlan((0,), four_eyes=True)
    assert from_stored(to_stored(plan)) == plan


def test_blue_green_has_no_steps() -> None:
    assert plan_of({"blue-green": None}) == Plan("blue-green")


@pytest.mark.parametrize("declared", ["ab", "canary", "blue-green", "shadow"])
def test_a_plan_comes_back_from_the_database_as_it_went_in(declared: str) -> None:
    assert from_stored(to_stored(plan_of(declared))) == plan_of(declared)


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ("abc", "strategy: is 'abc'; wanted one of ab, blue-green, canary, shadow"),
        ({"shadow": {"sample": 0}}, "strategy.shadow.sample: is 0; wanted greater than 0"),
        ({"shadow": {"then": "wait"}}, "strategy.shadow.then: is 'wait'; wanted promote, canary"),
        ({"shadow": {"then": {"canary": {"stepz": []}}}}, "strategy.shadow.then.canary.stepz is not an option"),
        ("cannary", "did you mean canary?"),
        (7, "strategy: is 7"),
        ({}, "strategy: is {}"),
        ({"canary": {}, "blue-green": {}}, "alone or with options"),
        ({"canary": [1]}, "strategy.canary: is [1]; wanted a mapping of options"),
        ({"canary": {"stepz": []}}, "strategy.canary.stepz is not an option; did you mean steps?"),
        ({"canary": {"steps": []}}, "strategy.canary.steps"),
        ({"canary": {"steps": [{"share": 1.0}]}}, "strategy.canary.steps.0.share: is 1.0; wanted less than 1"),
        ({"canary": {"steps": [{"share": float("nan")}]}}, "strategy.canary.steps.0.share"),
        ({"canary": {"steps": [{"share": 0.1}, {"shre": 0.2, "share": 0.3}]}}, "steps.1.shre is not an option; did"),
        ({"canary": {"steps": [{"min_subjects": 3}]}}, "strategy.canary.steps.0.share is missing"),
        ({"canary": {"steps": [{"share": 0.2}, {"share": 0.2}]}}, "wanted steps whose shares rise"),
        ({"canary": {"analysis": {"kinds": ["eror"]}}}, "strategy.canary.analysis.kinds.0: is 'eror'"),
        ({"canary": {"analysis": {"alpha": 0}}}, "strategy.canary.analysis.alpha: is 0; wanted greater than 0"),
        ({"canary": {"approval": "sometimes"}}, "strategy.canary.approval.when: is 'sometimes'"),
        ({"canary": {"approval": {"four_eye": True}}}, "approval.four_eye is not an option; did you mean four_eyes?"),
        ({"canary": {"steps": [{"approve": True}]}}, "wanted at least one step with a share"),
        ({"canary": {"windows": [{"days": ["monday"]}]}}, "windows.0.days: is ['monday']; wanted days such as mon"),
        ({"canary": {"windows": [{"from": "9 am", "to": "17:00"}]}}, "windows.0.from: is '9 am'; wanted a time of day"),
        ({"canary": {"windows": [{"from": "17:00", "to": "17:00"}]}}, "wanted from and to that differ"),
        ({"canary": {"windows": [{"timezone": "Europe/Bonn"}]}}, "windows.0.timezone: is 'Europe/Bonn'; wanted the na"),
        ({"canary": {"windows": ["nine to five"]}}, "windows.0.cron: is 'nine to five'; wanted five cron fields"),
        ({"ab": {"metrics": ["speed"]}}, "strategy.ab.metrics.0.name: is 'speed'"),
        ({"ab": {"metrics": ["error", "error"]}}, "wanted each metric once"),
        ({"ab": {"metrics": [{"name": "error", "cap": 2}]}}, "wanted no cap: error lies between 0 and 1"),
        ({"ab": {"on_win": "celebrate"}}, "strategy.ab.on_win: is 'celebrate'"),
        ({"blue-green": {"steps": []}}, "strategy.blue-green.steps is not an option"),
    ],
)
def test_a_wrong_strategy_is_named_with_its_path(declared: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        plan_of(declared)
    assert sentence in raised.value.sentence


def test_the_place_of_the_strategy_in_a_file_is_part_of_the_path() -> None:
    with pytest.raises(InvalidInput, match=r"endpoints\.chat\.strategy\.canary\.alpha is not an option"):
        plan_of({"canary": {"alpha": 1}}, field="endpoints.chat.strategy")
