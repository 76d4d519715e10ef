from __future__ import annotations

import asyncio
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.flows.results import FlowResult
from opsloop.gateway.memory import ENTRY_BYTES, Memory, Remembering
from opsloop.releases.routing import Arm


def arm(release: str = "rel_1", **cache: Any) -> Arm:
    return Arm("stable", release, 1, "flow", "f@1", "d", "a", {"cache": {"ttl_s": 10, **cache}})


def result(clock: FakeClock, text: str = "yes") -> FlowResult:
    return FlowResult({"answer": text}, (), clock.now(), 1.0)


def found(memory: Memory, arm: Arm, inputs: dict[str, Any], scope: str = "key:a") -> Any:
    said = asyncio.run(Remembering(memory, "chat", scope).find(arm, inputs))
    return None if said is None else said.outputs["answer"]


def keep(memory: Memory, clock: FakeClock, arm: Arm, inputs: dict[str, Any], text: str = "yes") -> None:
    Remembering(memory, "chat", "key:a").keep(arm, inputs, result(clock, text), {})


@pytest.fixture
def memory(sqlite_workspace: Workspace) -> Memory:
    return Memory(sqlite_workspace, 100_000)


def test_the_order_of_inputs_does_not_matter_and_everything_else_does(memory: Memory, clock: FakeClock) -> None:
    keep(memory, clock, arm(), {"a": 1, "b": [2]})
    assert found(memory, arm(), {"b": [2], "a": 1}) == "yes"
    assert found(memory, arm(), {"a": 1, "b": [2.5]}) is None
    assert found(memory, arm("rel_2"), {"a": 1, "b": [2]}) is None


def test_an_answer_is_its_callers_own_unless_the_release_shares_it(memory: Memory, clock: FakeClock) -> None:
    keep(memory, clock, arm(), {"q": 1})
    assert found(memory, arm(), {"q": 1}, "key:b") is None
    keep(memory, clock, arm(shared=True), {"q": 1})
    assert found(memory, arm(shared=True), {"q": 1}, "key:b") == "yes"


def test_an_answer_is_kept_for_its_time(memory: Memory, clock: FakeClock) -> None:
    keep(memory, clock, arm(), {"q": 1})
    clock.advance(10)
    assert found(memory, arm(), {"q": 1}) is None
    assert memory.size_bytes == 0


def test_what_was_not_asked_for_longest_goes_first_and_the_bound_holds(
    sqlite_workspace: Workspace, clock: FakeClock
) -> None:
    memory = Memory(sqlite_workspace, 10 * ENTRY_BYTES)
    for number in range(20):
        keep(memory, clock, arm(), {"q": number})
        found(memory, arm(), {"q": 0})
        assert memory.size_bytes <= 10 * ENTRY_BYTES
    assert found(memory, arm(), {"q": 0}) == "yes"
    assert found(memory, arm(), {"q": 1}) is None
    keep(memory, clock, arm(), {"q": "long"}, "x" * 5 * ENTRY_BYTES)
    assert found(memory, arm(), {"q": "long"}) is None


def test_what_another_release_answered_is_forgotten(memory: Memory, clock: FakeClock) -> None:
    keep(memory, clock, arm("rel_1"), {"q": 1})
    keep(memory, clock, arm("rel_2"), {"q": 1})
    memory.forget_all_but({"rel_2"})
    assert found(memory, arm("rel_1"), {"q": 1}) is None
    assert found(memory, arm("rel_2"), {"q": 1}) == "yes"


def test_what_is_no_json_is_not_kept(memory: Memory, clock: FakeClock) -> None:
    keep(memory, clock, arm(), {"q": object()})
    Remembering(memory, "chat", "key:a").keep(
        arm(), {"q": 1}, FlowResult({"answer": object()}, (), clock.now(), 1.0), {}
    )
    assert memory.size_bytes == 0
