"""Policies of renewal as users declare them."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.releases.renewal_policy import Approve, Cause, CompareOn, Labelled, of_config, parse


def test_a_pipeline_is_all_that_is_needed() -> None:
    policy = parse({"pipeline": "iris"})
    assert (policy.pipeline, policy.on) == ("iris", (Cause.DRIFT, Cause.SCHEDULE))
    assert (policy.approve, policy.compare_on, policy.labelled) == (Approve.AUTO, CompareOn.BOTH, None)


def test_times_are_said_with_their_unit_or_in_seconds() -> None:
    assert parse({"pipeline": "iris", "cool_down": "6h"}).cool_down_s == 21_600.0
    assert parse({"pipeline": "iris", "cool_down": 90}).cool_down_s == 90.0
    assert parse({"pipeline": "iris", "labelled": {"patience": "2d"}}).labelled == Labelled(patience_s=172_800.0)
    assert parse({"pipeline": "iris", "labelled": True}).labelled == Labelled()


def test_a_config_without_a_policy_has_none() -> None:
    assert of_config({"drift": {}}) is None


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({}, "renewal.pipeline: is None; wanted the name of a pipeline"),
        ([], "renewal: is []; wanted a mapping"),
        ({"pipeline": "iris", "cooldown": 1}, "renewal.cooldown is not known; did you mean cool_down?"),
        ({"pipeline": "iris", "on": []}, "renewal.on: is []; wanted a list of drift"),
        ({"pipeline": "iris", "on": ["weather"]}, "renewal.on: is ['weather']"),
        ({"pipeline": "iris", "cool_down": "soon"}, "wanted a time such as 30m, 6h or 2d"),
        ({"pipeline": "iris", "cool_down": -1}, "renewal.cool_down: is -1"),
        ({"pipeline": "iris", "approve": "nobody"}, "renewal.approve: is 'nobody'; wanted one of auto, person"),
        ({"pipeline": "iris", "margin": 2}, "renewal.margin: is 2; wanted a number from 0 to 1"),
        ({"pipeline": "iris", "strategy": "cannary"}, "did you mean canary?"),
        ({"pipeline": "iris", "strategy": {"canary": {"stepz": []}}}, "renewal.strategy.canary.stepz"),
        ({"pipeline": "iris", "labelled": {"min_rows": 0}}, "renewal.labelled.min_rows: is 0"),
        ({"pipeline": "iris", "labelled": {"rows": 5}}, "renewal.labelled.rows is not known"),
        ({"pipeline": "iris", "gate": {"rules": [{"metric": "brier", "margin": 0.1}]}}, "evaluators is missing"),
        ({"pipeline": "iris", "evaluators": "brier"}, "renewal.evaluators: is 'brier'; wanted a list"),
        ({"pipeline": "iris", "window": 5}, "renewal.window: is 5; wanted a mapping"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(declared: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(declared)
    assert sentence in raised.value.sentence
