"""What goes wrong and when: faults in windows that overlap, drawn from a seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import create_engine, text

from soak.clients import Seen
from soak.model import MODES, Model
from soak.world import Postgres, Process

KILL_EVERY_S = 20.0
LOCKED_S = 10.0
AWAY_S = 8.0
FULL_S = 12.0
GRACE_S = 6.0
"""After the database is back: connections are made again, pools find out which of theirs are dead."""
JUMPS_S = (3_600.0, -7_200.0, 86_400.0, -30.0)
UNLIMITED = -1


class Chaos:
    """Args: gateways: two; the first is killed first."""

    def __init__(
        self, model: Model, postgres: Postgres | None, gateways: list[Process], seen: Seen, clock: Path, seed: int
    ) -> None:
        self._model = model
        self._postgres = postgres
        self._gateways = gateways
        self._seen = seen
        self._clock = clock
        self._random = random.Random(seed)
        self._full: Process | None = None
        self.done: dict[str, int] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """All of it until told to stop; then everything is well again."""
        loops: list[Callable[[asyncio.Event], Awaitable[None]]] = [
            self._kill, self._fail_model, self._fill_disk, self._jump_clock,
        ]  # fmt: skip
        if self._postgres is not None:
            loops.append(self._trouble_database)
        await asyncio.gather(*(each(stopping) for each in loops))
        await self._model.become("well")
        self._clock.write_text("0")

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1

    async def _kill(self, stopping: asyncio.Event) -> None:
        """SIGKILL to one gateway every 20 seconds, the two in turn; it is started again until it answers."""
        number = 0
        while not await _stopped(stopping, KILL_EVERY_S):
            victim = self._gateways[number % 2]
            number += 1
            other = self._gateways[number % 2]
            # Records that a full disk keeps in memory do not outlive a kill (docs/how-to), and somebody must answer.
            if victim is self._full or not await asyncio.to_thread(other.answers):
                continue
            await asyncio.to_thread(victim.kill)
            self._count("gateways killed")
            await asyncio.to_thread(victim.start)
            while not stopping.is_set() and not await asyncio.to_thread(victim.answers):
                if not victim.is_running:
                    await asyncio.to_thread(victim.start)
                await asyncio.sleep(0.5)

    async def _fail_model(self, stopping: asyncio.Event) -> None:
        number = 0
        while not await _stopped(stopping, self._random.uniform(4, 10)):
            mode = MODES[number % len(MODES)]
            number += 1
            await self._model.become(mode)
            self._count(f"model {mode}")
            await _stopped(stopping, self._random.uniform(6, 15))
            await self._model.become("well")

    async def _trouble_database(self, stopping: asyncio.Event) -> None:
        assert self._postgres is not None
        is_away = False
        while not await _stopped(stopping, self._random.uniform(15, 30)):
            is_away = not is_away
            self._seen.database_is_there = False
            if is_away:
                await asyncio.to_thread(self._postgres.stop)
                self._count("database away")
                await asyncio.sleep(AWAY_S)
                await asyncio.to_thread(self._postgres.start)
            else:
                self._count("database locked")
                await asyncio.to_thread(self._lock_tables)
            await asyncio.sleep(GRACE_S)
            self._seen.database_is_there = True

    def _lock_tables(self) -> None:
        """Nobody may read or write what requests and feedback go into, for a while."""
        assert self._postgres is not None
        engine = create_engine(self._postgres.url.replace("postgresql://", "postgresql+psycopg://"))
        with suppress(Exception), engine.begin() as connection:
            connection.execute(text("LOCK TABLE requests, feedback IN ACCESS EXCLUSIVE MODE"))
            connection.execute(text("SELECT pg_sleep(:s)"), {"s": LOCKED_S})
        engine.dispose()

    async def _fill_disk(self, stopping: asyncio.Event) -> None:
        """One gateway may write no byte to any file for a while."""
        while not await _stopped(stopping, self._random.uniform(20, 35)):
            full = self._random.choice(self._gateways)
            if not await asyncio.to_thread(full.answers):
                continue
            self._full = full
            full.limit_files(0)
            self._count("disk full")
            await _stopped(stopping, FULL_S)
            full.limit_files(UNLIMITED)
            await asyncio.sleep(3)  # what waited in memory goes to the database
            self._full = None

    async def _jump_clock(self, stopping: asyncio.Event) -> None:
        number = 0
        while not await _stopped(stopping, self._random.uniform(10, 25)):
            self._clock.write_text(str(JUMPS_S[number % len(JUMPS_S)]))
            number += 1
            self._count("clock jumped")
            await _stopped(stopping, self._random.uniform(5, 15))
            self._clock.write_text("0")


async def _stopped(stopping: asyncio.Event, within_s: float) -> bool:
    """Wait; whether it was told to stop meanwhile."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), within_s)
    return stopping.is_set()
