"""Labels that come later, on both arms of a canary and on the pairs of a shadow."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from opsloop.monitoring import records
from opsloop.monitoring.labels import service as labels
from opsloop.monitoring.labels.models import GivenLabel
from opsloop.monitoring.models import BESIDE, RequestRecord
from opsloop.releases import routing
from opsloop.releases.models import RolloutStatus
from opsloop.releases.moves import MoveKind
from tests.integration.releases.conftest import OPERATOR, World

QUALITY: dict[str, Any] = {
    "canary": {
        "steps": [{"share": 0.5, "min_duration_s": 3_600, "min_subjects": 20}],
        "analysis": {"kinds": ["error", "quality"], "alpha": 0.01},
    }
}
SHADOW: dict[str, Any] = {"shadow": {"min_pairs": 50, "min_labels": 200, "min_duration_s": 0, "then": "promote"}}


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def predicted(world: World, count: int, *, candidate: str, stable: str, shadow: bool) -> None:
    """Requests of a row each whose truth is `yes`, and their labels."""
    made: list[RequestRecord] = []
    for _ in range(count):
        number = next(world.numbers)
        route = world.route()
        arm = routing.choose(route, f"user-{number}")
        facts: dict[str, Any] = {
            "endpoint": "chat",
            "rollout": route.rollout,
            "candidate_share": route.candidate_share,
            "subject": f"user-{number}",
            "started_at": world.clock.now(),
            "duration_ms": 5.0,
            "status": "ok",
            "rows": 1,
            "inputs": raw([[number]]),
        }
        said = raw([candidate if arm.name == "candidate" else stable])
        made.append(
            RequestRecord(request_id=f"r{number}", release=arm.release, arm=arm.name, predictions=said, **facts)
        )
        if shadow:
            assert route.candidate is not None
            made.append(
                RequestRecord(
                    request_id=f"r{number}{BESIDE}",
                    release=route.candidate.release,
                    arm="candidate",
                    shadow=True,
                    predictions=raw([candidate]),
                    **facts,
                )
            )
    with world.workspace.writing(OPERATOR) as uow:
        records.ingest(uow, made)
        answers = [each.request_id for each in made if not each.shadow]
        labels.add(uow, "chat", [GivenLabel(each, "yes") for each in answers])


def test_a_canary_that_predicts_worse_is_taken_back_once_labels_say_so(world: World) -> None:
    rollout = world.open_rollout(QUALITY)
    driver = world.driver(rollout)
    world.tick(driver)
    predicted(world, 300, candidate="no", stable="yes", shadow=False)
    move = world.tick(driver)
    assert move.kind is MoveKind.ROLL_BACK
    assert "quality is 0.00 on the candidate and 1.00 on stable" in move.sentence
    assert world.rollout(rollout).status is RolloutStatus.ROLLED_BACK


def test_a_canary_that_predicts_as_well_goes_on(world: World) -> None:
    driver = world.driver(world.open_rollout(QUALITY))
    world.tick(driver)
    predicted(world, 300, candidate="yes", stable="yes", shadow=False)
    assert world.tick(driver).kind is MoveKind.WAIT


def test_a_shadow_that_predicts_worse_is_taken_back_and_nobody_got_its_answers(world: World) -> None:
    driver = world.driver(world.open_rollout(SHADOW))
    world.tick(driver)
    predicted(world, 200, candidate="no", stable="yes", shadow=True)
    move = world.tick(driver)
    assert move.kind is MoveKind.ROLL_BACK
    assert "the mean loss is 1.000 on the candidate and 0.000 on stable" in move.sentence


def test_a_shadow_that_predicts_better_takes_over_on_labelled_pairs(world: World) -> None:
    driver = world.driver(world.open_rollout(SHADOW))
    world.tick(driver)
    predicted(world, 150, candidate="yes", stable="no", shadow=True)
    assert "150 labelled requests, 200 are needed" in world.tick(driver).sentence
    predicted(world, 150, candidate="yes", stable="no", shadow=True)
    assert world.tick(driver).kind is MoveKind.PROMOTE


def test_the_errors_of_numbers_are_bounded() -> None:
    from opsloop.releases.labelled import loss_of

    assert loss_of(3.0, 2.0, 4.0) == 0.25
    assert loss_of(100.0, 2.0, 4.0) == 1.0
    assert (loss_of("a", "a", None), loss_of(1, 0, None)) == (0.0, 1.0)
