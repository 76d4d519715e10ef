"""The arithmetic of the trail: pure functions, used to write it and to check it.

An event's hash is SHA-256 over its canonical JSON (RFC 8785) with all fields but the hash itself; `previous` is among
them, so that a change anywhere changes every hash after it. A checkpoint is an Ed25519 signature (RFC 8032) over the
length and the head of the trail and over the length that the checkpoint before it signed, so that none can be taken
out either; every transaction that adds events adds one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

GENESIS = "0" * 64
FIELDS = ("id", "at", "actor", "action", "target", "detail", "previous", "hash")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event exactly as it is stored: raw bytes per field, so that nothing is repaired before it is checked.

    `fault` says what is wrong with the way it is stored, when that was seen while it was read.
    """

    seq: int
    id: bytes
    at: bytes
    actor: bytes
    action: bytes
    target: bytes
    detail: bytes
    previous: bytes
    hash: bytes
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    events: int
    head: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class StoredHead:
    """What the trail says of its own length and last hash."""

    events: int
    head: bytes


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


def sign(key: Ed25519PrivateKey, *, events: int, head: str, after: int) -> str:
    """The signature of a checkpoint.

    Args:
        events: how many events it covers.
        head: hash of the last of them.
        after: how many events the checkpoint before it covers; 0 for the first.
    """
    return key.sign(_checkpoint_text(events, head, after)).hex()


def is_signed(mark: StoredCheckpoint, key: Ed25519PublicKey, *, head: str, after: int) -> bool:
    """Whether a checkpoint's signature holds for that head and that checkpoint before it."""
    try:
        signature = bytes.fromhex(mark.signature.decode("ascii"))
        key.verify(signature, _checkpoint_text(mark.events, head, after))
    except (InvalidSignature, ValueError):
        return False
    # There is one way to write a signature: fromhex would take capitals and spaces too.
    return signature.hex().encode() == mark.signature


def _checkpoint_text(events: int, head: str, after: int) -> bytes:
    return rfc8785.dumps({"opsloop": "audit checkpoint", "events": events, "head": head, "after": after})
