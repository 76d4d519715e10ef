"""Any byte of any stored event that is changed in the database file: `opsloop audit verify` exits 6 and names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsloop.cli.text import cell
from tests.acceptance.audit.conftest import COLUMNS, Trail
from tests.acceptance.up import opsloop

# The trail is put back after every example.
ON_ONE_TRAIL = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def names(trail: Trail, event: int, id: str) -> None:
    """The command says which event does not hold, to people and to programs."""
    said = trail.run("audit", "verify", "--json")
    assert said.code == 6, said
    assert (said.answer["ok"], said.answer["broken_at"], said.answer["broken_id"]) == (False, event, id)
    assert said.answer["events"] == event - 1
    assert said.err.startswith(f"opsloop: the audit trail does not hold from event {event} ({cell(id)}) on: ")


def test_a_trail_that_nobody_touched_holds(trail: Trail) -> None:
    said = trail.run("audit", "verify", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.answer["ok"]
    assert said.answer["events"] == trail.length


@pytest.mark.slow
@given(data=st.data())
@settings(ON_ONE_TRAIL, max_examples=40)
def test_flipping_bits_of_any_byte_of_any_text_is_found_at_that_event(trail: Trail, data: st.DataObject) -> None:
    event = data.draw(st.integers(1, trail.length), "event")
    column = data.draw(st.sampled_from(COLUMNS), "column")
    stored = trail.field(event, column)
    changed = bytearray(stored)
    changed[data.draw(st.integers(0, len(stored) - 1), "byte")] ^= data.draw(st.integers(1, 255), "bits")
    put = f"UPDATE audit_events SET {column} = CAST(? AS TEXT) WHERE seq = ?"
    trail.sql(put, (bytes(changed), event))
    try:
        names(trail, event, trail.field(event, "id").decode(errors="replace"))
    finally:
        trail.sql(put, (stored, event))


@given(data=st.data())
@settings(ON_ONE_TRAIL, max_examples=20)
def test_flipping_bits_of_any_byte_of_its_number_is_found_at_that_event(trail: Trail, data: st.DataObject) -> None:
    event = data.draw(st.integers(1, trail.length), "event")
    changed = bytearray(event.to_bytes(8, "big", signed=True))
    changed[data.draw(st.integers(0, 7), "byte")] ^= data.draw(st.integers(1, 255), "bits")
    to = int.from_bytes(changed, "big", signed=True)
    if 1 <= to <= trail.length:
        return  # another event has it: that is swapping two events
    id = trail.id(event)
    trail.sql("UPDATE audit_events SET seq = ? WHERE seq = ?", (to, event))
    try:
        names(trail, event, id)
    finally:
        trail.sql("UPDATE audit_events SET seq = ? WHERE seq = ?", (event, to))


class Cell:
    """One event in the file: where its content is, and its header before that."""

    def __init__(self, trail: Trail, event: int) -> None:
        content = b"".join(trail.field(event, column) for column in COLUMNS)
        raw = trail.database.read_bytes()
        assert raw.count(content) == 1
        start = raw.index(content)
        # Serial types, 1 or 2 bytes a column, and lengths (SQLite's record format).
        self.header = range(start - 10, start)
        self.content = range(start, start + len(content))


@pytest.mark.slow
@given(data=st.data())
@settings(ON_ONE_TRAIL, max_examples=30)
def test_flipping_bits_of_any_byte_of_its_content_in_the_file_is_found(trail: Trail, data: st.DataObject) -> None:
    event = data.draw(st.integers(1, trail.length), "event")
    at = data.draw(st.sampled_from(Cell(trail, event).content), "byte")
    whole = flip(trail.database, at, data.draw(st.integers(1, 255), "bits"))
    try:
        names(trail, event, trail.field(event, "id").decode(errors="replace"))
    finally:
        trail.database.write_bytes(whole)


@given(data=st.data())
@settings(ON_ONE_TRAIL, max_examples=20)
def test_flipping_bits_of_its_header_in_the_file_is_found(trail: Trail, data: st.DataObject) -> None:
    """SQLite may see it first: then the database is damaged, and that is said."""
    event = data.draw(st.integers(1, trail.length), "event")
    at = data.draw(st.sampled_from(Cell(trail, event).header), "byte")
    whole = flip(trail.database, at, data.draw(st.integers(1, 255), "bits"))
    try:
        said = trail.run("audit", "verify", "--json")
    finally:
        trail.database.write_bytes(whole)
    if said.code == 6:
        assert said.answer["broken_at"] == event
    else:
        assert (said.code, "is damaged" in said.err) == (1, True), said


def flip(file: Path, at: int, bits: int) -> bytes:
    """Change a byte; what was there before, as the whole file."""
    whole = file.read_bytes()
    file.write_bytes(whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
    return whole


@pytest.mark.parametrize("value", ["X'00ff'", "17", "CAST(actor AS BLOB)", "''"])
def test_a_field_of_another_type_is_found(trail: Trail, value: str) -> None:
    trail.sql(f"UPDATE audit_events SET actor = {value} WHERE seq = 2")
    names(trail, 2, trail.id(2))


SWAP = "UPDATE audit_events SET {0} = (SELECT {0} FROM audit_events AS other WHERE other.seq = 5 - audit_events.seq)"


@pytest.mark.parametrize(
    ("tampering", "event", "reason"),
    [
        (["DELETE FROM audit_events WHERE seq = 2"], 2, "it is missing; the next one stored is 3"),
        (["DELETE FROM audit_events WHERE seq = 5"], 5, "the events up to 5 were signed and are gone"),
        (["DELETE FROM audit_events WHERE seq >= 3"], 3, "the events up to 5 were signed and are gone"),
        (
            ["DELETE FROM audit_events WHERE seq >= 4", "DELETE FROM audit_checkpoints WHERE events >= 4"],
            4,
            "the events up to 5 were recorded and are gone",
        ),
        (["DELETE FROM audit_events", "DELETE FROM audit_checkpoints"], 1, "the events up to 5 were recorded"),
        (
            [
                "UPDATE audit_events SET seq = -seq WHERE seq IN (2, 3)",
                "UPDATE audit_events SET seq = 5 + seq WHERE seq < 0",
            ],
            2,
            "it does not follow the event before it",
        ),
        (
            [f"{SWAP.format(column)} WHERE seq IN (2, 3)" for column in ("actor", "action", "target")],
            2,
            "its content does not match its hash",
        ),
        (["DELETE FROM audit_checkpoints WHERE events = 1"], 1, "its signed checkpoint is gone"),
        (["DELETE FROM audit_checkpoints WHERE events = 3"], 3, "its signed checkpoint is gone"),
        (["DELETE FROM audit_checkpoints WHERE events = 5"], 5, "no signature covers it"),
        (["DELETE FROM audit_checkpoints"], 1, "no signature covers it"),
        (
            ["UPDATE audit_checkpoints SET signature = upper(signature) WHERE events = 4"],
            4,
            "the signature of its checkpoint does not hold",
        ),
        (
            ["UPDATE audit_checkpoints SET head = replace(head, substr(head, 1, 1), 'x') WHERE events = 2"],
            2,
            "its signed checkpoint names another head",
        ),
        (["UPDATE audit_checkpoints SET head = X'ff' WHERE events = 2"], 2, "its signed checkpoint names another head"),
        (["UPDATE audit_checkpoints SET events = -3 WHERE events = 3"], 3, "its signed checkpoint is gone"),
        (["UPDATE audit_head SET events = 9"], 6, "the events up to 9 were recorded and are gone"),
        (["UPDATE audit_head SET events = 2"], 5, "it is the last one, and the head of the trail names another"),
        (["UPDATE audit_head SET events = 'x'"], 5, "it is the last one, and the head of the trail names another"),
        (["UPDATE audit_head SET head = upper(head)"], 5, "it is the last one, and the head of the trail names"),
        (["UPDATE audit_head SET head = X'ff'"], 5, "it is the last one, and the head of the trail names another"),
        (["DELETE FROM audit_head"], 5, "it is the last one, and the head of the trail names another"),
        (
            [
                "INSERT INTO audit_events SELECT 6, id || 'x', at, actor, action, target, detail, hash, hash "
                "FROM audit_events WHERE seq = 5"
            ],
            6,
            "its content does not match its hash",
        ),
        (
            [
                "INSERT INTO audit_events SELECT 0, id || 'x', at, actor, action, target, detail, previous, hash "
                "FROM audit_events WHERE seq = 4"
            ],
            0,
            "no event belongs under this number",
        ),
    ],
)
def test_what_was_taken_out_moved_or_put_in_is_found(
    trail: Trail, tampering: list[str], event: int, reason: str
) -> None:
    assert trail.length == 5
    for statement in tampering:
        trail.sql(statement)
    said = trail.run("audit", "verify", "--json")
    assert said.code == 6, said
    assert said.answer["broken_at"] == event
    assert said.answer["reason"].startswith(reason)
    assert f"from event {event}" in said.err


def test_commands_go_on_with_a_damaged_trail_and_show_what_is_left_of_it(trail: Trail) -> None:
    trail.sql("UPDATE audit_events SET detail = CAST(X'7bff1b' AS TEXT), actor = CAST(X'ff1b' AS TEXT) WHERE seq = 2")
    listed = trail.run("audit", "list")
    assert listed.code == 0
    assert "\x1b" not in listed.out
    exported = trail.run("audit", "export", str(trail.folder / "trail.jsonl"), "--key", str(trail.folder / "key.pem"))
    assert exported.code == 0
    checked = trail.run("audit", "verify", "--json", str(trail.folder / "trail.jsonl"), "--key", exported_key(trail))
    assert (checked.code, checked.answer["broken_at"]) == (6, 2)
    assert trail.run("token", "create", "next").code == 0
    names(trail, 2, trail.id(2))


def exported_key(trail: Trail) -> str:
    return str(trail.folder / "key.pem")


def test_an_id_that_would_steer_the_terminal_does_not(trail: Trail) -> None:
    trail.sql("UPDATE audit_events SET id = char(27) || '[2J' || char(10) || 'opsloop: all is well' WHERE seq = 2")
    said = trail.run("audit", "verify")
    assert said.code == 6
    assert "\x1b" not in said.err
    assert said.err.count("\n") == 1


def test_a_head_set_back_stops_recording_with_a_sentence(trail: Trail) -> None:
    trail.sql("UPDATE audit_head SET events = 3, head = (SELECT hash FROM audit_events WHERE seq = 3)")
    said = trail.run("token", "create", "next")
    assert (said.code, said.out) == (1, "")
    assert "the audit trail has another event 4 already; see `opsloop audit verify`" in said.err
    assert trail.run("token", "list", "--json").answer["items"] != []
    assert trail.length == 5


@pytest.mark.slow
def test_a_process_of_its_own_says_the_same(trail: Trail) -> None:
    assert opsloop("audit", "verify", cwd=trail.folder).returncode == 0
    stored = trail.field(3, "hash")
    trail.sql("UPDATE audit_events SET hash = CAST(? AS TEXT) WHERE seq = 3", (bytes([stored[0] ^ 1]) + stored[1:],))
    done = opsloop("audit", "verify", cwd=trail.folder)
    assert done.returncode == 6
    assert f"does not hold from event 3 ({trail.id(3)}) on: " in done.stderr
    assert "Traceback" not in done.stderr
