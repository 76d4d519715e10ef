"""What this process holds of the windows: spent in memory, filled from the database, given back in time.

A request that the process holds enough for costs no look into the database. When it holds too little a transaction
takes more, for that request and for those to come; when the database says no, it is not asked again for a moment.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import system
from opsloop.core.errors import OpsloopError
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import Workspace
from opsloop.limits import ledger, service, windows
from opsloop.limits.errors import QuotaSpent, RateReached
from opsloop.limits.ledger import Denied, Held, Wanted, Window
from opsloop.limits.models import NANO, Limit, Meter, Scope, Subject

log = structlog.get_logger()
BEAT_S = 1.0
IDLE_S = 5.0
"""How long a part that nobody asks for stays with a process."""
ASK_AGAIN_S = 0.5
_BY = system("limits")


@dataclass(frozen=True, slots=True)
class Ask:
    """So much of a meter of somebody with this limit."""

    subject: Subject
    limit: Limit
    meter: Meter
    amount: int


class _Pot:
    """What is held of one window. `used` counts what is reserved too; `out` is how many reservations are open.

    `left` is what the database had left for others when it was last asked.
    """

    __slots__ = ("denied", "denied_until_s", "ends", "lease", "leased", "left", "out", "touched_s", "used", "window")

    def __init__(self, window: Window, lease: str, now_s: float) -> None:
        self.window = window
        self.lease = lease
        self.leased = 0
        self.left: int | None = None
        self.used = 0
        self.out = 0
        self.touched_s = now_s
        # So much was not to be had a moment ago: nobody asks for as much again at once.
        self.denied = 0
        self.denied_until_s = float("-inf")
        self.ends = False

    @property
    def free(self) -> int:
        return 0 if self.ends else self.leased - self.used


@dataclass(frozen=True, slots=True)
class State:
    """Of one meter: the limit, what is left of it, seconds until it starts anew."""

    limit: int
    left: int
    resets_s: float


class Reservation:
    """Amounts that were taken; each is settled once, and what is not settled is given back at `close`."""

    def __init__(self, pool: Pool, taken: Mapping[tuple[Subject, Meter], tuple[_Pot, int]]) -> None:
        self._pool = pool
        self._open = dict(taken)

    def settle(self, meters: Sequence[Meter], amount: int) -> None:
        """Whatever was reserved of these meters, this was used."""
        for key in [key for key in self._open if key[1] in meters]:
            pot, reserved = self._open.pop(key)
            self._pool.settle(pot, reserved, amount)

    def close(self) -> None:
        for pot, reserved in self._open.values():
            self._pool.settle(pot, reserved, 0)
        self._open.clear()


class Pool:
    """Of one process; any thread may use it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._clock = workspace.clock
        self._lock = threading.Lock()
        # Held while the database is asked: what is in memory then does not change under it.
        self._asking = threading.Lock()
        self._pots: dict[Window, _Pot] = {}
        self._latest: dict[Meter, int] = {}
        self._limits: dict[tuple[Scope, str], Limit] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the limits, then follow them and keep what is held alive."""
        self.refresh()
        self._thread = threading.Thread(target=self._run, name="limits", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give everything back."""
        self._stopping.set()
        self._workspace.bell(service.BELL).ring()
        if self._thread is not None:
            self._thread.join()
        if self._pots:
            with Trouble("limits_not_given_back").told():
                self.beat(gives_back=True)

    def of(self, key: str | None, endpoint: str | None) -> tuple[tuple[Subject, Limit], ...]:
        """The limits that hold for a request: of the key that asks, of the endpoint that it asks."""
        if not self._limits:
            return ()
        found = []
        if key is not None:
            limit = self._limits.get((Scope.KEY, key)) or self._limits.get((Scope.DEFAULT, ""))
            if limit is not None:
                found.append((Subject(Scope.KEY, key), limit))
        if endpoint is not None and (limit := self._limits.get((Scope.ENDPOINT, endpoint))) is not None:
            found.append((Subject(Scope.ENDPOINT, endpoint), limit))
        return tuple(found)

    async def reserve(self, asks: Sequence[Ask]) -> Reservation:
        """All of them or none. Raises: RateReached, QuotaSpent; Unavailable when the database is away."""
        found = self._reserved(asks)
        return found if found is not None else await run_in_threadpool(self.reserve_now, asks)

    def reserve_now(self, asks: Sequence[Ask]) -> Reservation:
        """As `reserve`; may wait for the database."""
        while (found := self._reserved(asks)) is None:
            with self._asking:
                if (found := self._reserved(asks)) is not None:  # another thread has brought enough
                    return found
                self._fill(asks)
        return found

    def settle(self, pot: _Pot, reserved: int, used: int) -> None:
        with self._lock:
            pot.used += used - reserved
            pot.out -= 1
            pot.touched_s = self._clock.monotonic_s()
            pot.denied_until_s = float("-inf")

    def state(self, subject: Subject, limit: Limit, meter: Meter) -> State | None:
        """What is left as far as this process knows; None where nothing is limited."""
        if (most := limit.most(meter)) is None:
            return None
        with self._lock:
            window = self._window(subject, meter)
            pot = self._pots.get(window)
            left = most if pot is None or pot.left is None else pot.left + pot.free
        return State(most, max(0, min(most, left)), self._resets_s(window))

    def refresh(self) -> None:
        """Follow what is set."""
        with self._workspace.reading(_BY) as uow:
            found = {(each.scope, each.name): each.limit for each in service.listed(uow)}
        changed, self._limits = found != self._limits, found
        if changed and self._pots:  # what is held was taken under other limits
            self.beat(gives_back=True)

    def beat(self, *, gives_back: bool = False) -> None:
        """Say what was used, give back what lies idle or is over, and end what dead processes held.

        Args:
            gives_back: all that is free, however short it lay there.
        """
        with self._asking:
            held = self._to_tell(gives_back)
            with self._workspace.writing(_BY) as uow:
                gone = ledger.renew(uow, held)
                ledger.bury(uow)
            with self._lock:
                for window, pot in list(self._pots.items()):
                    if pot.lease in gone:
                        del self._pots[window]

    def _reserved(self, asks: Sequence[Ask]) -> Reservation | None:
        """None when this process holds too little."""
        with self._lock:
            pots = [self._pots.get(self._window(ask.subject, ask.meter)) for ask in asks]
            for ask, pot in zip(asks, pots, strict=True):
                if pot is None or pot.ends or pot.free < ask.amount:
                    return None
            taken = {}
            for ask, pot in zip(asks, pots, strict=True):
                assert pot is not None
                pot.used += ask.amount
                pot.out += 1
                pot.touched_s = self._clock.monotonic_s()
                taken[ask.subject, ask.meter] = pot, ask.amount
        return Reservation(self, taken)

    def _fill(self, asks: Sequence[Ask]) -> None:
        """Take what is short from the database. Raises: RateReached, QuotaSpent."""
        now_s = self._clock.monotonic_s()
        short: list[tuple[Ask, _Pot, Wanted]] = []
        with self._lock:
            for ask in asks:
                window = self._window(ask.subject, ask.meter)
                pot = self._pots.get(window)
                if pot is None:
                    pot = self._pots[window] = _Pot(window, self._workspace.ids.new("lease"), now_s)
                pot.ends = False
                need = ask.amount - pot.free
                most = ask.limit.most(ask.meter)
                assert most is not None
                if need > 0 or pot.left is None:
                    if now_s < pot.denied_until_s and need >= pot.denied:
                        raise self._refusal(ask, pot.free + (pot.left or 0), is_held_elsewhere=False)
                    short.append((ask, pot, Wanted(window, pot.lease, max(0, need), most)))
        if not short:
            return
        with self._workspace.writing(_BY) as uow:
            found = ledger.take(uow, [wanted for _, _, wanted in short])
        with self._lock:
            if not isinstance(found, Denied):
                for _, pot, wanted in short:
                    pot.leased += found[wanted.window].amount
                    pot.left = found[wanted.window].left
                return
            ask, pot = next((ask, pot) for ask, pot, wanted in short if wanted.window == found.window)
            pot.left = found.left
            pot.denied, pot.denied_until_s = ask.amount - pot.free, now_s + ASK_AGAIN_S
            raise self._refusal(ask, pot.free + found.left, is_held_elsewhere=found.is_held_elsewhere)

    def _refusal(self, ask: Ask, left: int, *, is_held_elsewhere: bool) -> OpsloopError:
        most = ask.limit.most(ask.meter)
        assert most is not None
        resets_s = self._resets_s(self._window(ask.subject, ask.meter))
        if ask.meter is Meter.CONCURRENT:
            resets_s = 1.0
        # What another process holds and does not use comes back in a moment.
        retry_after_s = max(1, math.ceil(min(resets_s, IDLE_S + BEAT_S) if is_held_elsewhere else resets_s))
        facts: dict[str, Any] = {"subject": str(ask.subject), "meter": ask.meter.value, "retry_after_s": retry_after_s}
        if ask.meter.is_money:
            return QuotaSpent(
                **facts,
                limit=f"${most / NANO:.2f}",
                period="day" if ask.meter is Meter.DAY else "month",
                left=f"${max(0, left) / NANO:.4f}",
                needed=f"${ask.amount / NANO:.4f}",
            )
        facts |= {"limit": most, "what": _WHAT[ask.meter]}
        if ask.meter is Meter.TOKENS and ask.amount > most:
            return RateReached(_TOO_LARGE.format(amount=ask.amount, **facts), **facts)
        return RateReached(**facts)

    def _to_tell(self, gives_back: bool) -> list[Held]:
        now_s, now = self._clock.monotonic_s(), self._clock.now()
        with self._lock:
            told = []
            for window, pot in self._pots.items():
                ends_at = windows.end_of(Meter(window.meter), window.starts)
                is_over = ends_at is not None and ends_at <= now
                is_idle = gives_back or is_over or now_s - pot.touched_s > IDLE_S
                if is_idle or pot.used > pot.leased:
                    if pot.left is not None:
                        pot.left += pot.leased - pot.used
                    pot.leased = pot.used  # nothing is taken from here on
                pot.ends = is_idle and pot.out == 0
                told.append(Held(pot.lease, window, pot.used, pot.leased, pot.ends))
            return told

    def _window(self, subject: Subject, meter: Meter) -> Window:
        starts = windows.start_of(meter, self._clock.now())
        # A clock that is set back opens no window again.
        starts = self._latest[meter] = max(starts, self._latest.get(meter, starts))
        return Window.of(subject, meter, starts)

    def _resets_s(self, window: Window) -> float:
        ends_at = windows.end_of(Meter(window.meter), window.starts)
        return 0.0 if ends_at is None else max(0.0, (ends_at - self._clock.now()).total_seconds())

    def _run(self) -> None:
        bell = self._workspace.bell(service.BELL)
        trouble = Trouble("limits_not_followed")
        while not self._stopping.is_set():
            bell.wait(timeout_s=BEAT_S)
            if self._stopping.is_set():
                return
            with trouble.told():
                self.refresh()
                if self._pots:
                    self.beat()


_TOO_LARGE = (
    "{subject} may use {limit} tokens a minute, and this needs {amount} at once: it never finds room; "
    "send less, or set a lower max_tokens"
)
_WHAT = {
    Meter.REQUESTS: "requests a minute",
    Meter.TOKENS: "tokens a minute",
    Meter.CONCURRENT: "requests at a time",
}
