"""An export, checked with nothing but the public key: any byte that is changed is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.audit.conftest import COLUMNS, Trail
from tests.acceptance.in_process import Said, run
from tests.acceptance.up import opsloop


class Export:
    """The two files that an auditor has; the project they came from is gone."""

    def __init__(self, trail: Trail, folder: Path) -> None:
        self.file, self.key = folder / "trail.jsonl", folder / "audit.pub.pem"
        assert trail.run("audit", "export", str(self.file), "--key", str(self.key)).code == 0
        self.ids = [trail.id(event) for event in range(1, trail.length + 1)]
        self.whole = self.file.read_bytes()
        self.lines = self.whole.splitlines(keepends=True)
        shutil.rmtree(trail.folder)

    def verify(self, content: bytes | None = None) -> Said:
        self.file.write_bytes(self.whole if content is None else content)
        return run("audit", "verify", str(self.file), "--key", str(self.key), "--json")


@pytest.fixture
def export(trail: Trail, tmp_path: Path) -> Export:
    return Export(trail, tmp_path)


def changed(export: Export, line: int, at: int, bits: int) -> bytes:
    """The export with one byte changed, at a place in a line."""
    place = sum(map(len, export.lines[:line])) + at
    return export.whole[:place] + bytes([export.whole[place] ^ bits]) + export.whole[place + 1 :]


ON_ONE_EXPORT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_an_export_that_nobody_touched_holds(export: Export) -> None:
    said = export.verify()
    assert said.code == 0, said
    assert (said.answer["events"], said.answer["checkpoints"]) == (5, 5)


def test_the_files_are_enough_for_a_process_of_its_own(export: Export) -> None:
    words = ("audit", "verify", export.file, "--key", export.key)
    assert opsloop(*words, cwd=export.file.parent).returncode == 0
    export.file.write_bytes(export.whole.replace(b"key.revoked", b"key.created"))
    done = opsloop(*words, cwd=export.file.parent)
    assert done.returncode == 6
    assert f"does not hold from event 4 ({export.ids[3]}) on: its content does not match its hash" in done.stderr
    assert not (export.file.parent / ".opsloop").exists()


@given(data=st.data())
@settings(ON_ONE_EXPORT, max_examples=200)
def test_flipping_bits_of_any_byte_of_any_field_is_found_at_that_event(export: Export, data: st.DataObject) -> None:
    event = data.draw(st.integers(1, 5), "event")
    line = export.lines[event - 1]
    column = data.draw(st.sampled_from((*COLUMNS, "seq")), "column")
    opening = f'"{column}":'.encode() + (b"" if column == "seq" else b'"')
    start = line.index(opening) + len(opening)
    end = line.index(b"}" if column == "seq" or column == "target" else b',"', start) - (column != "seq")
    at = data.draw(st.integers(start, max(start, end - 1)), "byte")
    said = export.verify(changed(export, event - 1, at, data.draw(st.integers(1, 255), "bits")))
    assert said.code == 6, said
    assert (said.answer["broken_at"], said.answer["events"]) == (event, event - 1)
    if column != "id":
        assert said.answer["broken_id"] == export.ids[event - 1]
        assert f"from event {event} ({export.ids[event - 1]}) on: " in said.err


@given(data=st.data())
@settings(ON_ONE_EXPORT, max_examples=200)
def test_flipping_bits_of_any_byte_of_any_line_is_found(export: Export, data: st.DataObject) -> None:
    line = data.draw(st.integers(0, 9), "line")
    at = data.draw(st.integers(0, len(export.lines[line]) - 1), "byte")
    said = export.verify(changed(export, line, at, data.draw(st.integers(1, 255), "bits")))
    assert said.code == 6, said
    event = line % 5 + 1
    # Without the end of its line a checkpoint takes the next one with it, and the last event the first checkpoint.
    assert said.answer["broken_at"] in ({4: (5, 1)}.get(line, (event,)) if line < 5 else (event, event + 1))


@pytest.mark.parametrize(
    ("kept", "event", "reason"),
    [
        ((0, 1, 3, 4, 5, 6, 7, 8, 9), 3, "it is missing; the next one stored is 4"),
        ((0, 1, 2, 3, 5, 6, 7, 8, 9), 5, "the events up to 5 were signed and are gone"),
        ((0, 2, 1, 3, 4, 5, 6, 7, 8, 9), 2, "it is stored under the number 2"),
        ((0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9), 2, "no event belongs under this number"),
        ((0, 1, 2, 3, 4, 5, 7, 8, 9), 2, "its signed checkpoint is gone"),
        ((0, 1, 2, 3, 4, 5, 6, 7, 8), 5, "no signature covers it"),
        ((0, 1, 2, 3, 4), 1, "no signature covers it"),
        ((5, 6, 7, 8, 9), 1, "the events up to 5 were signed and are gone"),
    ],
)
def test_lines_taken_out_moved_or_doubled_are_found(
    export: Export, kept: tuple[int, ...], event: int, reason: str
) -> None:
    said = export.verify(b"".join(export.lines[each] for each in kept))
    assert said.code == 6, said
    assert (said.answer["broken_at"], said.answer["reason"]) == (event, reason)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_export_that_was_cut_off_is_found(export: Export, share: float) -> None:
    assert export.verify(export.whole[: int(share * len(export.whole))]).code == 6


def test_another_key_does_not_hold(export: Export, recorded: Trail, tmp_path: Path) -> None:
    other = Trail(tmp_path / "other")
    other.folder.mkdir()
    (other.folder / "opsloop.yaml").write_text("")
    assert other.run("audit", "export", str(tmp_path / "x"), "--key", str(export.key)).code == 0
    said = export.verify()
    assert (said.code, said.answer["reason"]) == (6, "the signature of its checkpoint does not hold")


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"no export\n", b"\xff\xfe\x00", b"[" * 100_000, b"{}\n", b'{"kind":"event"}\n', b"1\n"]
)
def test_a_file_that_is_no_export_is_wrong_input(export: Export, content: bytes) -> None:
    said = export.verify(content)
    assert said.code == 2
    assert "wanted an export of the audit trail, as `opsloop audit export` writes it" in said.err


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_file_that_is_no_key_is_wrong_input(export: Export, content: bytes) -> None:
    export.key.write_bytes(content)
    said = export.verify()
    assert said.code == 2
    assert "wanted a file with a public key in PEM form" in said.err


def test_lines_ended_as_on_windows_hold(export: Export) -> None:
    assert export.verify(export.whole.replace(b"\n", b"\r\n")).code == 0
