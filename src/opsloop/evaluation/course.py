"""The course of an evaluation: which row of which run is next, until all are done or the budget is used up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from opsloop.evaluation.budget import Account
from opsloop.evaluation.running import Place, RunOfRows


@dataclass(eq=False)
class Arm:
    """One of the runs that go side by side; `stopped` says why it does not go on."""

    name: str
    rows: RunOfRows
    stopped: str | None = None
    failed: int = field(default=0)


Next = tuple[Arm, Place]


def rows_of(arm: Arm, *, seed: int, is_shuffled: bool) -> list[list[Place]]:
    """By row its places, one for each repeat, in the order rows are taken.

    Args:
        is_shuffled: whether that order is drawn, so that it says nothing of the rows.
    """
    rows: dict[tuple[int, int], list[Place]] = {}
    for place in arm.rows.places():
        rows.setdefault((place.part, place.row), []).append(place)
    order = list(rows.values())
    if is_shuffled:
        random.Random(seed).shuffle(order)  # noqa: S311 (no secret: an order that can be repeated)
    return order


def side_by_side(places: Sequence[Place], arms: Sequence[Arm]) -> Iterator[Next]:
    """A row through every run before the next row, so that runs can be compared on the same rows at any time."""
    for arm in arms:
        yield from ((arm, place) for place in places)


async def work_off(
    waiting: Iterator[Next], account: Account, *, at_once: int, done: Callable[[Arm, Place], None]
) -> str | None:
    """Run rows as long as the budget allows; why it did not allow all, as a sentence.

    Args:
        at_once: most rows in work at a time.
        done: called after each row; it may stop an arm.
    Raises: ScoreUnusable, EvaluatorBroke, LinesUnwritable.
    """
    cut: list[str] = []

    async def work() -> None:
        for arm, place in waiting:
            if arm.stopped is not None:
                continue
            why = await account.admit() if not cut else cut[0]
            if why is not None:
                cut.append(why)
                return
            found = await arm.rows.run(place)
            arm.failed += found.record.error is not None
            await account.settle(found.used)
            done(arm, place)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except BaseExceptionGroup as problems:  # the first says it
        raise problems.exceptions[0] from None
    return cut[0] if cut else None
