"""Copies of requests for a candidate in the shadow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.gateway.ledger import RecordIds
from opsloop.gateway.shadowing import AT_ONCE, Copies, Said, agreement, is_copied
from opsloop.monitoring.models import RequestRecord
from opsloop.releases.routing import Arm, Route

STABLE = Arm("stable", "release_1", 1, "model", "signs@1", "d1", "a1", {})
CANDIDATE = Arm("candidate", "release_2", 2, "model", "signs@2", "d2", "a2", {})


@dataclass
class Kept:
    """A recorder that keeps what it gets."""

    records: list[RequestRecord] = field(default_factory=list)

    def record(self, record: RequestRecord) -> None:
        self.records.append(record)


def route(shadow: float = 1.0) -> Route:
    return Route("signs", STABLE, CANDIDATE, 0.0, "rollout_1", "salt", True, shadow)


def copied(*asked: Any, answered: Sequence[Any] | None = ("yes",)) -> list[RequestRecord]:
    """What is recorded of copies whose candidate says this, or raises it."""
    kept = Kept()

    async def run() -> None:
        copies = Copies(kept, RecordIds("t"), FakeClock())  # type: ignore[arg-type]  # one method of a recorder is used
        for place, said in enumerate(asked):

            async def ask(arm: Arm, said: Any = said) -> Said:
                assert arm is CANDIDATE
                if isinstance(said, Exception):
                    raise said
                return Said(said)

            raw = msgspec.Raw(b"[[1.0]]")
            copies.offer(route(), ask, request_id=f"r{place}", subject="s", answered=answered, inputs=raw, rows=1)
        await copies.drain()

    asyncio.run(run())
    return kept.records


def test_a_copy_is_recorded_beside_the_answer() -> None:
    [record] = copied(["yes"])
    assert (record.request_id, record.original_id, record.arm, record.shadow) == (
        "r0~candidate",
        "r0",
        "candidate",
        True,
    )
    assert (record.status, record.agreement, record.rollout) == ("ok", 1.0, "rollout_1")
    assert msgspec.json.decode(record.predictions) == ["yes"]


def test_a_candidate_that_fails_is_recorded_and_nobody_hears_of_it() -> None:
    crashed, refused = copied(RuntimeError("no"), InvalidInput(field="a", value=1, wanted="2"))
    assert (crashed.status, crashed.error_type, crashed.http_status) == ("error", "RuntimeError", 500)
    assert refused.http_status == 500  # stable answered, so the request was right
    assert crashed.agreement is None


def test_what_stable_refuses_too_is_the_callers_fault() -> None:
    [record] = copied(InvalidInput(field="a", value=1, wanted="2"), answered=None)
    assert 400 <= record.http_status < 500


@pytest.mark.parametrize(
    ("stable", "candidate", "share"),
    [
        (["a", "b"], ["a", "c"], 0.5),
        ([1, 2], [1, 2], 1.0),
        ([100.0], [100.5], 1.0),
        ([100.0], [103.0], 0.0),
        ([0.0], [0.0], 1.0),
        (["a"], [1.5], 0.0),
        (["a"], ["a", "b"], None),
        ([], [], None),
    ],
)
def test_agreement_is_a_share_of_rows(stable: list[Any], candidate: list[Any], share: float | None) -> None:
    assert agreement(stable, candidate) == share


def test_a_share_of_requests_is_copied_and_always_the_same_ones() -> None:
    drawn = {number for number in range(2_000) if is_copied(route(0.25), f"r{number}")}
    assert 400 < len(drawn) < 600
    assert drawn == {number for number in range(2_000) if is_copied(route(0.25), f"r{number}")}
    assert not any(is_copied(route(0.0), f"r{number}") for number in range(100))


def test_copies_beyond_those_there_is_room_for_are_left_out() -> None:
    kept = Kept()

    async def run() -> list[bool]:
        copies = Copies(kept, RecordIds("t"), FakeClock())  # type: ignore[arg-type]
        gate = asyncio.Event()

        async def ask(_arm: Arm) -> Said:
            await gate.wait()
            return Said(["yes"])

        taken = [
            copies.offer(route(), ask, request_id=f"r{number}", subject="s", answered=["yes"])
            for number in range(AT_ONCE + 5)
        ]
        gate.set()
        await copies.drain()
        return taken

    assert sum(asyncio.run(run())) == AT_ONCE
    assert len(kept.records) == AT_ONCE
