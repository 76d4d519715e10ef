"""A drill's platform: level 5 after few successes, and nothing of the project that reaches others."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.cli.drill import policy
from opsloop.cli.drill.wanted import DrillWanted
from opsloop.client.project import DatasetWanted, EndpointWanted, Project
from opsloop.client.project_models import ModelEndpointWanted
from opsloop.client.project_pipelines import PipelineWanted
from opsloop.remediation.credible import lower_bound

HERE = Path("/project")
CONFIG = {
    "drift": {"false_alarms_per_year": 1, "webhook": "https://example.com/drift"},
    "renewal": {"pipeline": "signs", "on": ["drift"]},
    "timeout_s": 3,
}
ENDPOINT = ModelEndpointWanted("signs", "signs", CONFIG, {"canary": {}}, "signs")
WANTED = DrillWanted(ENDPOINT, "signs", HERE / "wrong.csv", HERE / "wrong.yaml", says="", moved="")


@pytest.mark.parametrize(("successes", "bound"), [(3, 0.47), (10, 0.76), (20, 0.8), (50, 0.8)])
def test_the_bound_is_one_that_the_successes_reach(successes: int, bound: float) -> None:
    # By hand: without a failure the bound is 0.05 ** (1 / (n + 1)), 0.473 for 3 and 0.762 for 10.
    assert policy.bound(successes) == bound
    assert policy.bound(successes) <= lower_bound(successes, 0)


def test_twenty_successes_are_the_usual_policy() -> None:
    found = policy.settings(policy.USUAL_SUCCESSES)
    assert (found["remediation_successes"], found["remediation_lower_bound"]) == (20, 0.8)
    assert found["remediation_levels"] == {"roll-back-release": 5}


def test_nothing_renews_the_endpoint_and_nobody_outside_hears_of_its_drift() -> None:
    found = policy.alone(WANTED).endpoint
    assert found.config == {"drift": {"false_alarms_per_year": 1}, "timeout_s": 3}
    assert found.strategy is None
    assert CONFIG["renewal"]  # the project's own stays as it was


def test_only_the_endpoint_and_what_it_learns_from_come_along() -> None:
    project = Project(
        HERE,
        "shop",
        settings={"log_level": "info"},
        datasets={name: DatasetWanted(name, HERE / f"{name}.csv") for name in ("signs", "others")},
        pipelines={name: PipelineWanted(name, HERE, {"dataset": name}) for name in ("signs", "others")},
        endpoints={"chat": EndpointWanted("chat", HERE, None, None, {})},
        model_endpoints={"signs": ENDPOINT},
        channels={"oncall": {"webhook": "https://example.com/hook"}},
        rules={"drift": False},
    )
    found = policy.narrowed(project, WANTED)
    assert (list(found.datasets), list(found.pipelines), list(found.model_endpoints)) == (["signs"],) * 3
    assert [found.endpoints, found.channels, found.rules, found.collections, found.demo] == [{}] * 5
    assert found.settings == {"log_level": "info"}
