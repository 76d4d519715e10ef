"""A watch of a real bundle: reference, expectations and options, from the release's configuration to the alarm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.models import bundle as bundles
from opsloop.models.bundle import Bundle
from opsloop.models.candidate import Candidate
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.drift import references, watches
from opsloop.monitoring.drift.watch import Watch
from tests.integration.monitoring.iris import COLOURS, candidate

OPTIONS = {"false_alarms_every": 100_000}


@dataclass
class Loaded:
    """What a watch reads of a loaded model."""

    bundle: Bundle
    digest: str


def loaded(workspace: Workspace, made: Candidate) -> Loaded:
    digest, _ = bundles.keep(workspace.artifacts, made)
    return Loaded(bundles.of_store(workspace.artifacts, digest), digest)


@pytest.fixture
def model(sqlite_workspace: Workspace) -> Loaded:
    rules = msgspec.json.encode([{"expect": "between", "column": "sepal_length", "min": 0, "max": 20}])
    made = candidate()
    return loaded(sqlite_workspace, replace(made, files={**made.files, bundles.EXPECTATIONS: rules}))


def rows(count: int, *, length: float = 5.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = np.empty((count, 4), dtype=object)
    X[:, 0] = rng.normal(length, 0.5, count)
    X[:, 1] = 3.0
    X[:, 2] = rng.normal(4, 1, count)
    X[:, 3] = rng.choice(COLOURS, count)
    return X


def seen(watch: Watch, X: np.ndarray) -> bool:
    found = False
    for place in range(len(X)):
        found = watch.observe(X[place : place + 1], ["setosa"], float(place)).detected
    return found


def test_a_longer_flower_raises_an_alarm_that_says_so_and_since_when(
    sqlite_workspace: Workspace, model: Loaded, admin: Caller, clock: FakeClock
) -> None:
    watch = Watch.of(sqlite_workspace, "iris", "rel_1", model, OPTIONS, serves="iris@3")
    assert not seen(watch, rows(300))
    clock.advance(3600)
    assert seen(watch, rows(120, length=6.0, seed=1))
    watch.close()
    with sqlite_workspace.reading(admin) as uow:
        (alarm,) = alarms.listed(uow, endpoint="iris")
    assert (alarm.feature, alarm.model) == ("sepal_length", "iris@3")
    assert "sepal_length" in alarm.sentence
    assert alarm.since_row is not None
    assert 280 <= alarm.since_row <= 330
    assert alarm.since_at is not None


def test_the_reference_is_fitted_once_and_kept(sqlite_workspace: Workspace, model: Loaded) -> None:
    Watch.of(sqlite_workspace, "iris", "rel_1", model, OPTIONS).close()
    kept = list(sqlite_workspace.artifacts.keys(references.PREFIX))
    Watch.of(sqlite_workspace, "iris", "rel_1", model, OPTIONS).close()
    assert len(kept) == 1
    assert list(sqlite_workspace.artifacts.keys(references.PREFIX)) == kept


def test_a_watch_tells_how_it_watches_and_what_the_model_promised(
    sqlite_workspace: Workspace, model: Loaded, admin: Caller
) -> None:
    options = {**OPTIONS, "performance": {"margin": 0.05}, "segments": {"sepal_length": [5, 6]}}
    Watch.of(sqlite_workspace, "iris", "rel_1", model, options).close()
    with sqlite_workspace.reading(admin) as uow:
        found = watches.get(uow, "iris", "rel_1")
    assert found is not None
    assert found.about["drift"]["method"] == "sequential"
    assert found.about["performance"] == {
        "metric": "accuracy", "figure": 0.95, "margin": 0.05, "false_alarms_every": 100_000.0
    }  # fmt: skip
    assert found.about["segments"] == {"sepal_length": [5.0, 6.0]}
    assert found.about["model"]["inputs"][0] == {"name": "sepal_length", "type": "number"}


def test_a_broken_expectation_of_the_bundle_is_drift_of_the_request(sqlite_workspace: Workspace, model: Loaded) -> None:
    watch = Watch.of(sqlite_workspace, "iris", "rel_1", model, OPTIONS)
    reading = watch.observe(np.array([[25.0, 3.0, 4.0, "blue"]], dtype=object), ["setosa"], 0.0)
    watch.close()
    assert (reading.detected, reading.broken) == (True, ("between sepal_length (min 0, max 20)",))


def test_the_z_score_rule_is_of_one_request_alone(sqlite_workspace: Workspace, model: Loaded, admin: Caller) -> None:
    watch = Watch.of(sqlite_workspace, "iris", "rel_1", model, "z_score")
    far = watch.observe(rows(4, length=15.0), ["setosa"] * 4, 0.0)
    near = watch.observe(rows(4), ["setosa"] * 4, 0.0)
    watch.close()
    assert (far.detected, near.detected) == (True, False)
    assert far.score > 5
    with sqlite_workspace.reading(admin) as uow:
        assert len(alarms.listed(uow, endpoint="iris")) == 1


def test_a_model_without_a_baseline_serves_and_is_not_watched(sqlite_workspace: Workspace, admin: Caller) -> None:
    made = candidate()
    bare = loaded(sqlite_workspace, replace(made, files={bundles.MODEL: made.files[bundles.MODEL]}))
    watch = Watch.of(sqlite_workspace, "iris", "rel_1", bare, OPTIONS)
    assert not watch.observe(rows(1), ["setosa"], 0.0).detected
    watch.close()
    with sqlite_workspace.reading(admin) as uow:
        found = watches.get(uow, "iris", "rel_1")
    assert found is not None
    assert found.about["drift"]["why"].startswith("the model's bundle has no baseline rows")


def test_expectations_that_cannot_be_read_are_named_and_the_model_serves(
    sqlite_workspace: Workspace, admin: Caller
) -> None:
    made = candidate()
    rules = msgspec.json.encode([{"expect": "betwixt", "column": "sepal_length"}])
    odd = loaded(sqlite_workspace, replace(made, files={**made.files, bundles.EXPECTATIONS: rules}))
    Watch.of(sqlite_workspace, "iris", "rel_1", odd, OPTIONS).close()
    with sqlite_workspace.reading(admin) as uow:
        found = watches.get(uow, "iris", "rel_1")
    assert found is not None
    assert "betwixt" in found.about["unchecked"][0]["reason"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metod": "none"}, "drift.metod"),
        ({"performance": {"margin": 2}}, "drift.performance.margin"),
        ({"performance": 3}, "drift.performance"),
        ({"segments": [1]}, "drift.segments"),
        ({"segments": {"age": "young"}}, "drift.segments.age"),
        ({"webhook": 3}, "drift.webhook"),
    ],
)
def test_a_wrong_option_is_named(sqlite_workspace: Workspace, model: Loaded, options: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Watch.of(sqlite_workspace, "iris", "rel_1", model, options)
