"""Any change of a stored audit event is found and named, whatever field and byte it touches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.audit import chain
from opsloop.core.audit.chain import StoredCheckpoint, StoredEvent

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FIELDS = ["id", "at", "actor", "action", "target", "detail", "previous", "hash"]


def trail(length: int) -> tuple[list[StoredEvent], list[StoredCheckpoint]]:
    events, marks, previous = [], [], chain.GENESIS
    for seq in range(1, length + 1):
        fields = {
            "id": f"audit_{seq}",
            "at": "2027-01-01T00:00:00.000000+00:00",
            "actor": "key:ci",
            "action": "release.promoted",
            "target": "endpoint/chat",
            "detail": chain.canonical_detail({"share": 0.5, "who": "Zoë ✓"}),
            "previous": previous,
        }
        previous = chain.event_hash(seq=seq, **fields)
        raw = {name: value.encode() for name, value in fields.items()}
        events.append(StoredEvent(seq=seq, hash=previous.encode(), **raw))
        marks.append(StoredCheckpoint(seq, previous.encode(), chain.sign(KEY, seq, previous).encode()))
    return events, marks


EVENTS, MARKS = trail(6)


def test_an_untouched_trail_verifies() -> None:
    found = chain.verify(EVENTS, MARKS, KEY.public_key())
    assert found.ok
    assert (found.events, found.checkpoints) == (6, 6)


def test_an_empty_trail_verifies() -> None:
    assert chain.verify([], [], KEY.public_key()).ok


@given(index=st.integers(0, 5), field=st.sampled_from(FIELDS), where=st.integers(0, 1_000), flip=st.integers(1, 255))
def test_flipping_any_bits_of_any_field_is_found_at_that_event(index: int, field: str, where: int, flip: int) -> None:
    raw = bytearray(getattr(EVENTS[index], field))
    raw[where % len(raw)] ^= flip
    changed: Any = {field: bytes(raw)}
    events = [*EVENTS[:index], replace(EVENTS[index], **changed), *EVENTS[index + 1 :]]
    found = chain.verify(events, MARKS, KEY.public_key())
    assert not found.ok
    assert found.broken_at == index + 1


@given(index=st.integers(0, 5), to=st.integers(-10, 100))
def test_changing_a_number_in_the_sequence_is_found(index: int, to: int) -> None:
    if to == index + 1:
        return
    events = [*EVENTS[:index], replace(EVENTS[index], seq=to), *EVENTS[index + 1 :]]
    found = chain.verify(events, MARKS, KEY.public_key())
    assert not found.ok
    assert found.broken_at == index + 1


@given(index=st.integers(0, 5))
def test_removing_an_event_is_found_at_its_place(index: int) -> None:
    found = chain.verify([*EVENTS[:index], *EVENTS[index + 1 :]], MARKS, KEY.public_key())
    assert not found.ok
    assert found.broken_at == index + 1


def test_a_trail_rewritten_from_the_start_without_the_key_is_found() -> None:
    rewritten, _ = trail(6)
    forged_events, forged_marks = [], []
    previous = chain.GENESIS
    for event in rewritten:
        fields = {name: getattr(event, name).decode() for name in FIELDS if name != "hash"}
        fields |= {"actor": "key:nobody", "previous": previous}
        previous = chain.event_hash(seq=event.seq, **fields)
        raw = {name: value.encode() for name, value in fields.items()}
        forged_events.append(StoredEvent(seq=event.seq, hash=previous.encode(), **raw))
        other = Ed25519PrivateKey.generate()
        forged_marks.append(
            StoredCheckpoint(event.seq, previous.encode(), chain.sign(other, event.seq, previous).encode())
        )
    found = chain.verify(forged_events, forged_marks, KEY.public_key())
    assert found.broken_at == 1
    assert found.reason == "the signature of its checkpoint does not hold"


def test_events_without_any_signature_are_not_trusted() -> None:
    found = chain.verify(EVENTS, [], KEY.public_key())
    assert (found.ok, found.broken_at) == (False, 1)
