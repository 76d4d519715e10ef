from __future__ import annotations

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.monitoring.dashboards import series
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.objectives.declaration import LIMITS_MS
from opsloop.monitoring.objectives.models import Tally
from opsloop.monitoring.objectives.tallying import Entry, within


def put(workspace: Workspace, by: Caller, **tallies: Tally) -> None:
    with workspace.writing(by) as uow:
        now = uow.clock.now()
        tallying.add(uow, [Entry("chat", name, now, tally) for name, tally in tallies.items()])


@pytest.mark.parametrize("window_s", list(series.WINDOWS))
def test_every_window_has_the_newest_step(workspace: Workspace, admin: Caller, clock: FakeClock, window_s: int) -> None:
    clock.advance(12_345)
    put(workspace, admin, availability=Tally(60, 45), mean_latency=Tally(45, 45, 4_500.0))
    with workspace.reading(admin) as uow:
        found = series.read(uow, "chat", window_s)
        together = series.read(uow, None, window_s)
    panels = {panel.key: {line.name: line.values for line in panel.lines} for panel in found.panels}
    assert len(found.starts) == window_s // found.step_s
    assert panels["requests"]["requests"][-1] == pytest.approx(60 / found.step_s)
    assert panels["errors"]["errors"][-1] == 0.25
    assert panels["errors"]["errors"][0] is None
    assert panels["latency"]["mean"][-1] == 100.0
    assert {panel.key for panel in together.panels} == set(panels) - {"drift"}


def test_p95_lies_inside_its_bucket(workspace: Workspace, admin: Caller) -> None:
    within_limits = {within(ms): Tally(100, good) for ms, good in zip(
        LIMITS_MS, (0, 50, 90, 100, 100, 100, 100, 100, 100), strict=True)}  # fmt: skip
    put(workspace, admin, **within_limits)
    with workspace.reading(admin) as uow:
        found = series.read(uow, "chat", 3_600)
    latency = next(panel for panel in found.panels if panel.key == "latency")
    assert next(line for line in latency.lines if line.name == "p95").values[-1] == pytest.approx(375.0)


def test_another_window_is_refused(sqlite_workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="window: is 7"), sqlite_workspace.reading(admin) as uow:
        series.read(uow, None, 7)
