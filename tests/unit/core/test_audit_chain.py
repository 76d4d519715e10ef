"""Any change of a stored audit event is found and named, whatever field and byte it touches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.audit import chain, verification
from opsloop.core.audit.chain import StoredCheckpoint, StoredEvent, StoredHead

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
        raw: dict[str, Any] = {name: value.encode() for name, value in fields.items()}
        events.append(StoredEvent(seq=seq, hash=previous.encode(), **raw))
        marks.append(
            StoredCheckpoint(seq, previous.encode(), chain.sign(KEY, events=seq, head=previous, after=seq - 1).encode())
        )
    return events, marks


EVENTS, MARKS = trail(6)


def test_an_untouched_trail_verifies() -> None:
    found = verification.verify(EVENTS, MARKS, KEY.public_key())
    assert found.ok
    assert (found.events, found.checkpoints) == (6, 6)


def test_an_empty_trail_verifies() -> None:
    assert verification.verify([], [], KEY.public_key()).ok


@given(index=st.integers(0, 5), field=st.sampled_from(FIELDS), where=st.integers(0, 1_000), flip=st.integers(1, 255))
def test_flipping_any_bits_of_any_field_is_found_at_that_event(index: int, field: str, where: int, flip: int) -> None:
    raw = bytearray(getattr(EVENTS[index], field))
    raw[where % len(raw)] ^= flip
    changed: Any = {field: bytes(raw)}
    events = [*EVENTS[:index], replace(EVENTS[index], **changed), *EVENTS[index + 1 :]]
    found = verification.verify(events, MARKS, KEY.public_key())
    assert not found.ok
    assert found.broken_at == index + 1


@given(index=st.integers(0, 5), to=st.integers(-(2**63), 2**63 - 1) | st.integers(-10, 10))
def test_an_event_stored_under_another_number_is_found_and_named_by_its_own(index: int, to: int) -> None:
    if to == index + 1:
        return
    events = [*EVENTS[:index], replace(EVENTS[index], seq=to), *EVENTS[index + 1 :]]
    events.sort(key=lambda event: event.seq)
    found = verification.verify(events, MARKS, KEY.public_key())
    assert (found.ok, found.broken_at, found.broken_id) == (False, index + 1, f"audit_{index + 1}")
    assert found.reason == f"it is stored under the number {to}"


def test_an_event_that_was_slipped_in_is_found() -> None:
    found = verification.verify([replace(EVENTS[2], seq=-4, id=b"slipped in"), *EVENTS], MARKS, KEY.public_key())
    assert (found.ok, found.broken_at, found.broken_id) == (False, -4, "slipped in")


@given(first=st.integers(0, 5), second=st.integers(0, 5))
def test_swapping_two_events_is_found_at_the_first_of_them(first: int, second: int) -> None:
    events = list(EVENTS)
    events[first], events[second] = replace(EVENTS[second], seq=first + 1), replace(EVENTS[first], seq=second + 1)
    found = verification.verify(events, MARKS, KEY.public_key())
    assert found.ok == (first == second)
    assert first == second or found.broken_at == min(first, second) + 1


@given(index=st.integers(0, 5))
def test_a_checkpoint_that_was_taken_out_is_found_at_its_event(index: int) -> None:
    found = verification.verify(EVENTS, [*MARKS[:index], *MARKS[index + 1 :]], KEY.public_key())
    assert (found.ok, found.broken_at, found.broken_id) == (False, index + 1, f"audit_{index + 1}")
    assert found.reason == ("no signature covers it" if index == 5 else "its signed checkpoint is gone")


@given(index=st.integers(0, 5), field=st.sampled_from(["head", "signature"]), where=st.integers(0, 200))
def test_flipping_a_bit_of_a_checkpoint_is_found(index: int, field: str, where: int) -> None:
    raw = bytearray(getattr(MARKS[index], field))
    raw[where % len(raw)] ^= 0x20  # of a letter: capital and small, which mean the same in hexadecimal
    changed: Any = {field: bytes(raw)}
    marks = [*MARKS[:index], replace(MARKS[index], **changed), *MARKS[index + 1 :]]
    found = verification.verify(EVENTS, marks, KEY.public_key())
    assert (found.ok, found.broken_at) == (False, index + 1)


@given(index=st.integers(0, 5), to=st.integers(-10, 10))
def test_a_checkpoint_of_another_event_is_found(index: int, to: int) -> None:
    if to == index + 1:
        return
    marks = sorted([*MARKS[:index], replace(MARKS[index], events=to), *MARKS[index + 1 :]], key=lambda m: m.events)
    assert not verification.verify(EVENTS, marks, KEY.public_key()).ok


@pytest.mark.parametrize(
    ("events", "head", "at", "id"),
    [
        (8, EVENTS[5].hash, 7, None),
        (5, EVENTS[4].hash, 6, "audit_6"),
        (6, EVENTS[4].hash, 6, "audit_6"),
        (0, chain.GENESIS.encode(), 6, "audit_6"),
    ],
)
def test_a_head_that_names_another_end_is_found(events: int, head: bytes, at: int, id: str | None) -> None:
    found = verification.verify(EVENTS, MARKS, KEY.public_key(), head=StoredHead(events, head))
    assert (found.ok, found.broken_at, found.broken_id) == (False, at, id)


def test_deleting_the_last_events_with_their_checkpoints_is_found_by_the_head() -> None:
    head = StoredHead(6, EVENTS[5].hash)
    found = verification.verify(EVENTS[:4], MARKS[:4], KEY.public_key(), head=head)
    assert (found.ok, found.broken_at, found.events) == (False, 5, 4)


@given(index=st.integers(0, 5))
def test_removing_an_event_is_found_at_its_place(index: int) -> None:
    found = verification.verify([*EVENTS[:index], *EVENTS[index + 1 :]], MARKS, KEY.public_key())
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
        signature = chain.sign(Ed25519PrivateKey.generate(), events=event.seq, head=previous, after=event.seq - 1)
        forged_marks.append(StoredCheckpoint(event.seq, previous.encode(), signature.encode()))
    found = verification.verify(forged_events, forged_marks, KEY.public_key())
    assert found.broken_at == 1
    assert found.reason == "the signature of its checkpoint does not hold"


def test_events_without_any_signature_are_not_trusted() -> None:
    found = verification.verify(EVENTS, [], KEY.public_key())
    assert (found.ok, found.broken_at) == (False, 1)
