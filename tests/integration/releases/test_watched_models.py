"""Releases of models and their watch: options that are refused at once, alarms that end with their release."""

from __future__ import annotations

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.events.outbox import deliver_due
from opsloop.core.workspace import Workspace
from opsloop.models import service as models
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Outcome
from opsloop.releases import alarms as subscribers
from opsloop.releases import service as releases
from opsloop.releases.events import EndpointRolledBack, RolloutPromoted, RolloutRolledBack
from tests.integration.monitoring.iris import candidate, drifted

assert subscribers  # registers who hears of rollouts


@pytest.fixture
def endpoint(sqlite_workspace: Workspace, admin: Caller) -> Workspace:
    with sqlite_workspace.writing(admin) as uow:
        models.register(uow, "iris", candidate())
        releases.create_endpoint(uow, "flowers")
    return sqlite_workspace


@pytest.mark.parametrize(
    ("drift", "said"),
    [({"webhook": "nonsense"}, "drift.webhook"), ({"methd": "none"}, "drift.methd"), ("often", "drift.method")],
)
def test_a_release_with_a_wrong_drift_option_is_refused(
    endpoint: Workspace, admin: Caller, drift: object, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said), endpoint.writing(admin) as uow:
        releases.create_release(uow, "flowers", model="iris", config={"drift": drift})


def test_a_release_keeps_its_drift_options(endpoint: Workspace, admin: Caller) -> None:
    drift = {"false_alarms_per_year": 1, "webhook": "${env:HOOK}", "performance": False}
    with endpoint.writing(admin) as uow:
        made = releases.create_release(uow, "flowers", model="iris", config={"drift": drift})
    assert made.release.config["drift"] == drift


@pytest.mark.parametrize(
    "event",
    [
        RolloutPromoted("roll_1", "iris", "rel_2", "rel_1", "better"),
        RolloutRolledBack("roll_1", "iris", "rel_1", None, "worse", True),
        EndpointRolledBack("iris", "rel_0", "rel_1", "asked"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_alarms_end_with_the_release_they_are_about(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock, event: object
) -> None:
    drifted(sqlite_workspace, clock)
    with sqlite_workspace.writing(admin) as uow:
        uow.emit(event)
    while deliver_due(sqlite_workspace):
        pass
    with sqlite_workspace.reading(admin) as uow:
        (alarm,) = alarms.listed(uow, endpoint="iris")
    assert alarm.outcome is Outcome.REPLACED


def test_alarms_of_the_release_that_goes_on_stay_open(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    drifted(sqlite_workspace, clock)
    with sqlite_workspace.writing(admin) as uow:
        uow.emit(RolloutRolledBack("roll_1", "iris", "rel_2", "rel_1", "worse", True))
    while deliver_due(sqlite_workspace):
        pass
    with sqlite_workspace.reading(admin) as uow:
        assert len(alarms.unclosed(uow, "iris")) == 1
