"""Releases of models: what they share with those of flows, and the aliases that follow them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.models.errors import ModelMissing
from opsloop.releases import rollouts, service
from opsloop.releases.errors import GateNotMet, KindsMixed, ServedAlready
from opsloop.releases.models import Released
from tests.integration.releases.conftest import flow_folder, registered
from tests.integration.releases.renewals.conftest import ENDPOINT, OPERATOR, Kept, Make, Signs, rows, signs_of

assert flow_folder
assert registered


@pytest.fixture(scope="module")
def trained_twice(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    def brought(workspace: Workspace, clock: FakeClock) -> None:
        signs = signs_of(workspace, clock)
        signs.register([*rows(300), *rows(200, seed=4)])
        signs.train()

    return Kept.of(tmp_path_factory.mktemp("two") / "data", brought)


@pytest.fixture
def two(trained_twice: Kept, tmp_path: Path, clock: FakeClock) -> Iterator[Signs]:
    """An endpoint that serves `signs@1`, and a second version beside it."""
    with trained_twice.copied(tmp_path, clock) as workspace:
        yield Signs(workspace, clock)


def release(signs: Signs, model: str | None = None, **how: object) -> Released:
    with signs.workspace.writing(OPERATOR) as uow:
        return service.create_release(uow, ENDPOINT, model=model, **how)  # type: ignore[arg-type]


def test_the_first_release_says_what_an_endpoint_serves(two: Signs) -> None:
    state = two.endpoint()
    assert state.stable is not None
    assert (state.endpoint.kind, state.stable.kind, state.stable.serves) == ("model", "model", "signs@1")
    route = two.route()
    assert route.stable is not None
    assert (route.stable.kind, route.stable.serves_digest) == ("model", state.stable.serves_digest)


def test_kinds_do_not_mix_within_an_endpoint(two: Signs, registered: Callable[[Workspace, str], str]) -> None:
    flow = registered(two.workspace, "hello")
    with pytest.raises(KindsMixed) as raised, two.workspace.writing(OPERATOR) as uow:
        service.create_release(uow, ENDPOINT, flow=flow)
    assert raised.value.sentence.startswith(f"endpoint {ENDPOINT} serves models, and {flow} is a flow")


def test_one_of_flow_and_model_is_named(two: Signs) -> None:
    with pytest.raises(InvalidInput, match="missing"):
        release(two)
    with pytest.raises(InvalidInput, match="name one"):
        release(two, "signs@1", flow="answer@1")
    with pytest.raises(ModelMissing):
        release(two, "sings@1")


def test_a_version_may_be_named_by_its_alias(two: Signs) -> None:
    made = release(two, "signs@challenger", strategy="blue-green")
    assert made.release.serves == "signs@2"


def test_the_champion_follows_a_promotion_and_a_rollback(two: Signs) -> None:
    assert two.aliases("signs@1") == ("champion",)
    release(two, "signs@2", strategy="blue-green", config={"renewal": {"pipeline": "signs", "margin": 0.2}})
    assert (two.aliases("signs@1"), two.aliases("signs@2")) == ((), ("champion",))
    with two.workspace.writing(OPERATOR) as uow:
        state = service.roll_back(uow, ENDPOINT)
    assert state.stable is not None
    assert (state.stable.serves, state.stable.config["renewal"]["margin"]) == ("signs@1", 0.1)
    assert (two.aliases("signs@1"), two.aliases("signs@2")) == (("champion",), ())


def test_a_canary_of_a_model_watches_what_labels_say_too(two: Signs) -> None:
    made = release(two, "signs@2")
    with two.workspace.reading(OPERATOR) as uow:
        row = rollouts.found(uow, made.rollout.id)
    assert row.plan["analysis"]["kinds"] == ["error", "dissatisfied", "quality"]


def test_a_flow_has_no_shadow(two: Signs, registered: Callable[[Workspace, str], str]) -> None:
    two.create("chat")
    flow = registered(two.workspace, "hello")
    with pytest.raises(InvalidInput, match="would be done twice"), two.workspace.writing(OPERATOR) as uow:
        service.create_release(uow, "chat", flow=flow, strategy="shadow")


def test_the_same_bundle_is_not_released_twice(two: Signs) -> None:
    stable = two.endpoint().stable
    assert stable is not None
    with pytest.raises(ServedAlready):
        release(two, "signs@1", config=stable.config)


def test_an_endpoint_that_was_behind_a_gate_lets_no_other_model_in_without_one(make: Make) -> None:
    signs = make()
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.train(trigger="schedule")
    signs.settle()
    signs.roll_out()
    signs.settle()
    signs.register([*rows(300), *rows(100, seed=5)])
    signs.train(trigger="demand")
    with pytest.raises(GateNotMet, match="came through a gate"):
        release(signs, "signs@3")
