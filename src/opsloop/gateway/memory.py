"""Answers that a release allows to be kept: the same question to the same release, of the same caller, for a while.

Kept is what a flow answered, never an error, in the memory of this process within a bound; what was not asked for
longest goes first. An answer that was made from documents is kept only where the release says so, with the contents of
the collections that it read, and given only while they are the same: what is deleted there is in no answer any more.
When an endpoint leaves a release, what that answered is forgotten.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import system
from opsloop.core.workspace import Workspace
from opsloop.flows.results import FlowResult, TokenUse
from opsloop.rag import reading
from opsloop.releases import cache_policy
from opsloop.releases.cache_policy import CachePolicy
from opsloop.releases.routing import Arm

_encode = msgspec.json.Encoder(order="deterministic").encode
_UNKEPT = (TypeError, ValueError, OverflowError, RecursionError)
ENTRY_BYTES = 500
"""What an entry takes beside its answer, about."""


@dataclass(frozen=True, slots=True)
class _Kept:
    release: str
    outputs: bytes
    tokens: TokenUse
    read: Mapping[str, str]
    until_s: float

    @property
    def size_bytes(self) -> int:
        return len(self.outputs) + ENTRY_BYTES


class Memory:
    """Of one gateway; any thread may use it."""

    def __init__(self, workspace: Workspace, limit_bytes: int) -> None:
        self._workspace = workspace
        self._clock = workspace.clock
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def forget_all_but(self, releases: Collection[str]) -> None:
        """Forget what other releases answered."""
        with self._lock:
            for key in [key for key, each in self._kept.items() if each.release not in releases]:
                self._drop(key)

    async def find(self, key: bytes) -> FlowResult | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            if self._clock.monotonic_s() >= kept.until_s:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
        if kept.read and not await run_in_threadpool(self._is_current, kept.read):
            with self._lock:
                if self._kept.get(key) is kept:
                    self._drop(key)
            return None
        outputs: dict[str, Any] = msgspec.json.decode(kept.outputs)
        return FlowResult(outputs, (), self._clock.now(), 0.0, kept.tokens)

    def keep(self, key: bytes, release: str, result: FlowResult, read: Mapping[str, str], ttl_s: float) -> None:
        """Unless it cannot be written as JSON, or is larger than an eighth of all."""
        try:
            outputs = _encode(dict(result.outputs))
        except _UNKEPT:
            return
        kept = _Kept(release, outputs, result.tokens, dict(read), self._clock.monotonic_s() + ttl_s)
        if kept.size_bytes > self._limit_bytes // 8:
            return
        with self._lock:
            if key in self._kept:
                self._drop(key)
            self._kept[key] = kept
            self._size_bytes += kept.size_bytes
            while self._size_bytes > self._limit_bytes:
                self._drop(next(iter(self._kept)))

    def _is_current(self, read: Mapping[str, str]) -> bool:
        with self._workspace.reading(system("gateway")) as uow:
            return reading.are_as_they_were(uow, read)

    def _drop(self, key: bytes) -> None:
        self._size_bytes -= self._kept.pop(key).size_bytes


@dataclass(slots=True)
class Remembering:
    """What one request may find and leave in the memory.

    Args:
        scope: whoever asks; answers of one are not given to another unless the release says so.
        is_fresh: the caller wants an answer that is made anew.
        is_kept: whether the answer may be kept.
    """

    memory: Memory
    endpoint: str
    scope: str
    is_fresh: bool = False
    is_kept: bool = True
    outcome: str | None = field(default=None, init=False)

    @property
    def is_hit(self) -> bool:
        return self.outcome == "hit"

    async def find(self, arm: Arm, inputs: Mapping[str, Any]) -> FlowResult | None:
        """What was answered before; sets `outcome` where the release allows to keep anything."""
        self.outcome = None
        place = self._place(arm, inputs)
        if place is None:
            return None
        found = None if self.is_fresh else await self.memory.find(place[0])
        self.outcome = "miss" if found is None else "hit"
        return found

    def keep(self, arm: Arm, inputs: Mapping[str, Any], result: FlowResult, read: Mapping[str, str]) -> None:
        place = self._place(arm, inputs) if self.is_kept else None
        if place is None:
            return
        key, policy = place
        if not read or policy.documents:
            self.memory.keep(key, arm.release, result, read, policy.ttl_s)

    def _place(self, arm: Arm, inputs: Mapping[str, Any]) -> tuple[bytes, CachePolicy] | None:
        policy = cache_policy.of_config(arm.config) if cache_policy.KEY in arm.config else None
        if policy is None:
            return None
        scope = "" if policy.shared else self.scope
        try:
            asked = _encode([arm.release, self.endpoint, scope, dict(inputs)])
        except _UNKEPT:
            return None
        return hashlib.sha256(asked).digest(), policy
