"""The arithmetic of the trail: pure functions, used to write it and to check it.

An event's hash is SHA-256 over its canonical JSON (RFC 8785) with all fields but the hash itself; `previous` is among
them, so that a change anywhere changes every hash after it. A checkpoint is an Ed25519 signature (RFC 8032) over the
length and the head of the trail; every transaction that adds events adds one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from opsloop.core.audit.models import Verification

GENESIS = "0" * 64
FIELDS = ("seq", "id", "at", "actor", "action", "target", "detail", "previous")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event exactly as it is stored: raw bytes per field, so that nothing is repaired before it is checked."""

    seq: int
    id: bytes
    at: bytes
    actor: bytes
    action: bytes
    target: bytes
    detail: bytes
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    events: int
    head: bytes
    signature: bytes


def canonical_detail(detail: dict[str, Any]) -> str:
    return rfc8785.dumps(detail).decode()


def event_hash(*, seq: int, id: str, at: str, actor: str, action: str, target: str, detail: str, previous: str) -> str:
    """The hash of an event whose detail is given as canonical JSON text."""
    body: dict[str, Any] = {
        "seq": seq,
        "id": id,
        "at": at,
        "actor": actor,
        "action": action,
        "target": target,
        "detail": detail,
        "previous": previous,
    }
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()


def checkpoint_text(events: int, head: str) -> bytes:
    return rfc8785.dumps({"opsloop": "audit checkpoint", "events": events, "head": head})


def sign(key: Ed25519PrivateKey, events: int, head: str) -> str:
    return key.sign(checkpoint_text(events, head)).hex()


def verify(
    events: Iterable[StoredEvent], checkpoints: Iterable[StoredCheckpoint], key: Ed25519PublicKey
) -> Verification:
    """Check every event and every checkpoint, in order, in constant memory.

    Args:
        events: all stored events by ascending `seq`.
        checkpoints: all stored checkpoints by ascending `events`.
        key: the public key of the installation.
    """
    marks = iter(checkpoints)
    mark = next(marks, None)
    previous, count, signed, seen = GENESIS, 0, 0, 0
    for stored in events:
        reason = _fault(stored, expected_seq=count + 1, previous=previous)
        if reason is not None:
            return Verification(False, count, seen, previous, count + 1, _text(stored.id), reason)
        count, previous = stored.seq, stored.hash.decode()
        while mark is not None and mark.events <= count:
            reason = _checkpoint_fault(mark, count, previous, key)
            if reason is not None:
                return Verification(False, count, seen, previous, count, _text(stored.id), reason)
            signed, seen, mark = count, seen + 1, next(marks, None)
    if mark is not None:
        reason = f"events {count + 1} to {mark.events} were signed and are gone"
        return Verification(False, count, seen, previous, count + 1, None, reason)
    if signed != count:
        return Verification(False, count, seen, previous, signed + 1, None, "no signature covers this event")
    return Verification(True, count, seen, previous)


def _fault(stored: StoredEvent, *, expected_seq: int, previous: str) -> str | None:
    if stored.seq != expected_seq:
        return f"event {expected_seq} is missing; the next one stored is {stored.seq}"
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


def _checkpoint_fault(mark: StoredCheckpoint, count: int, head: str, key: Ed25519PublicKey) -> str | None:
    if mark.events != count or mark.head != head.encode():
        return "its signed checkpoint names another head"
    try:
        key.verify(bytes.fromhex(mark.signature.decode("ascii")), checkpoint_text(count, head))
    except (InvalidSignature, ValueError):
        return "the signature of its checkpoint does not hold"
    return None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def from_export(lines: Iterable[bytes]) -> tuple[list[StoredEvent], list[StoredCheckpoint]]:
    """The events and checkpoints of an export (JSON lines), for a check far from the installation."""
    events: list[StoredEvent] = []
    marks: list[StoredCheckpoint] = []
    for record in _records(lines):
        if record.get("kind") == "checkpoint":
            marks.append(StoredCheckpoint(record["events"], record["head"].encode(), record["signature"].encode()))
        elif record.get("kind") == "event":
            fields = {name: record[name] if name == "seq" else record[name].encode() for name in (*FIELDS, "hash")}
            events.append(StoredEvent(**fields))
    return events, marks


def _records(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.strip():
            yield json.loads(line)
