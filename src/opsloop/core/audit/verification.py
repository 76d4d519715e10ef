"""Check a trail: every event, every checkpoint and the head, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from opsloop.core.audit.chain import GENESIS, StoredCheckpoint, StoredEvent, StoredHead, event_hash, is_signed
from opsloop.core.audit.models import Verification

# Memory for what may have to be named later; a trail that holds needs none of it.
KEPT = 1_000


def verify(
    events: Iterable[StoredEvent],
    checkpoints: Iterable[StoredCheckpoint],
    key: Ed25519PublicKey,
    *,
    head: StoredHead | None = None,
) -> Verification:
    """The first thing that does not hold, in constant memory.

    Args:
        events: all stored events by ascending `seq`.
        checkpoints: all stored checkpoints by ascending `events`.
        key: the public key of the installation.
        head: what the installation says of the trail's length; an export does not have it.
    """
    walk = _Walk(checkpoints, key)
    try:
        walk.along(iter(events))
        walk.end(head)
    except _Broken as broken:
        at = broken.at
        holding = at - 1 if 1 <= at <= walk.count else walk.count
        return Verification(False, holding, walk.seen, walk.head, at, _text(broken.id), broken.reason)
    return Verification(True, walk.count, walk.seen, walk.head)


class _Broken(Exception):
    def __init__(self, at: int, id: bytes | None, reason: str) -> None:
        self.at = at
        self.id = id
        self.reason = reason


class _Walk:
    """From the first event to the last; `count` events hold so far, `seen` checkpoints were checked."""

    def __init__(self, checkpoints: Iterable[StoredCheckpoint], key: Ed25519PublicKey) -> None:
        self.count = 0
        self.seen = 0
        self.head = GENESIS
        self._key = key
        self._marks = iter(checkpoints)
        self._mark = next(self._marks, None)
        self._signed = 0
        self._last_id: bytes | None = None
        # Ids of the events after the last checkpoint, and what is stored under numbers that were passed already.
        self._unsigned: list[bytes] = []
        self._strays: list[StoredEvent] = []
        self._stray_mark: int | None = None

    def along(self, events: Iterator[StoredEvent]) -> None:
        for stored in events:
            if stored.seq == self.count + 1:
                self._follow(stored)
            elif stored.seq <= self.count and not self._is_next(stored):
                self._strays = [*self._strays[: KEPT - 1], stored]
            else:
                raise self._gap(stored, events)

    def end(self, head: StoredHead | None) -> None:
        """What only shows when every event was seen."""
        for stray in filter(self._is_next, self._strays):
            raise self._misplaced(stray)
        if self._mark is not None:
            last = deque(chain((self._mark,), self._marks), maxlen=1)[0]
            raise _Broken(self.count + 1, None, f"the events up to {last.events} were signed and are gone")
        if self._signed != self.count:
            raise _Broken(self._signed + 1, self._unsigned[0], "no signature covers it")
        for stray in self._strays:
            raise _Broken(stray.seq, stray.id, "no event belongs under this number")
        if self._stray_mark is not None:
            raise _Broken(self.count, self._last_id, f"a checkpoint of event {self._stray_mark} belongs to no event")
        if head is not None and head != StoredHead(self.count, self.head.encode()):
            raise self._other_head(head)

    def _follow(self, stored: StoredEvent) -> None:
        reason = _fault(stored, previous=self.head)
        if reason is not None:
            raise _Broken(stored.seq, stored.id, reason)
        self.count, self.head, self._last_id = stored.seq, stored.hash.decode(), stored.id
        if len(self._unsigned) < KEPT:
            self._unsigned.append(stored.id)
        while self._mark is not None and self._mark.events <= self.count:
            mark, self._mark = self._mark, next(self._marks, None)
            if mark.events < self.count:
                self._stray_mark = mark.events
            else:
                self._sign_off(mark, stored)

    def _sign_off(self, mark: StoredCheckpoint, stored: StoredEvent) -> None:
        if mark.head != stored.hash:
            raise _Broken(stored.seq, stored.id, "its signed checkpoint names another head")
        if not is_signed(mark, self._key, head=self.head, after=self._signed):
            raise self._unsigned_mark(mark, stored)
        self._signed, self._unsigned = self.count, []
        self.seen += 1

    def _unsigned_mark(self, mark: StoredCheckpoint, stored: StoredEvent) -> _Broken:
        """A signature that would hold with another checkpoint before it tells which one is gone."""
        for place, id in enumerate(self._unsigned[:-1], start=1):
            if is_signed(mark, self._key, head=self.head, after=self._signed + place):
                return _Broken(self._signed + place, id, "its signed checkpoint is gone")
        return _Broken(stored.seq, stored.id, "the signature of its checkpoint does not hold")

    def _is_next(self, stored: StoredEvent) -> bool:
        """Whether an event, under whatever number, follows the last one that holds."""
        return stored.previous == self.head.encode()

    def _gap(self, stored: StoredEvent, rest: Iterator[StoredEvent]) -> _Broken:
        for each in chain(self._strays, (stored,), rest):
            if self._is_next(each):
                return self._misplaced(each)
        return _Broken(self.count + 1, None, f"it is missing; the next one stored is {stored.seq}")

    def _misplaced(self, stored: StoredEvent) -> _Broken:
        return _Broken(self.count + 1, stored.id, f"it is stored under the number {stored.seq}")

    def _other_head(self, head: StoredHead) -> _Broken:
        if head.events > self.count:
            return _Broken(self.count + 1, None, f"the events up to {head.events} were recorded and are gone")
        return _Broken(self.count, self._last_id, "it is the last one, and the head of the trail names another")


def _fault(stored: StoredEvent, *, previous: str) -> str | None:
    if stored.fault is not None:
        return stored.fault
    try:
        found = event_hash(
            seq=stored.seq,
            id=stored.id.decode(),
            at=stored.at.decode(),
            actor=stored.actor.decode(),
            action=stored.action.decode(),
            target=stored.target.decode(),
            detail=stored.detail.decode(),
            previous=stored.previous.decode(),
        )
    except UnicodeDecodeError:
        return "a field is not text any more"
    if stored.previous != previous.encode():
        return "it does not follow the event before it"
    if stored.hash != found.encode():
        return "its content does not match its hash"
    return None


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="replace")
