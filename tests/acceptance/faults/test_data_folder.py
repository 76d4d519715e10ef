"""A data folder that cannot be used, or that somebody else uses, and a port that is taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.in_process import run
from tests.acceptance.up import Up, opsloop

COMMANDS = [("up", "--no-demo"), ("audit", "list"), ("token", "create", "ci")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_place_of_the_folder_is_told(small: Path, words: tuple[str, ...], below: str) -> None:
    (small / ".opsloop").touch()
    os.environ["OPSLOOP_DATA_DIR"] = str(small / ".opsloop" / below)
    try:
        said = run(*words, "--project", str(small))
    finally:
        del os.environ["OPSLOOP_DATA_DIR"]
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"opsloop: the data folder {small}/.opsloop")
    assert said.err.endswith("put that right, or choose another with OPSLOOP_DATA_DIR\n")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_new_folder_that_may_not_be_written_is_told(
    small: Path, tmpfs: Callable[[str], Path], words: tuple[str, ...]
) -> None:
    folder = tmpfs("ro,size=1m")
    done = opsloop(*words, cwd=small, OPSLOOP_DATA_DIR=str(folder / "data"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"opsloop: the data folder {folder}/data cannot be used: Read-only file system; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("spool", 1, "/.opsloop/spool cannot be used: File exists; put that right"),
        ("keys", 1, "/.opsloop/keys/audit.pem cannot be read: File exists"),
        ("artifacts", 7, "/.opsloop/artifacts: Not a directory; put that right and try again"),
    ],
)
def test_a_file_in_place_of_a_part_of_the_folder_is_told(small: Path, name: str, code: int, sentence: str) -> None:
    (small / ".opsloop").mkdir()
    (small / ".opsloop" / name).touch()
    said = run("apply", "--project", str(small))
    assert said.code == code
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_a_port_in_use_is_named(small: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = opsloop("up", "--port", str(port), cwd=small)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == (
        f"opsloop: port {port} on 127.0.0.1 is in use; stop that program, or choose another port with --port\n"
    )


def test_a_second_platform_on_a_folder_learns_who_has_it(small: Path, up: Callable[..., Up]) -> None:
    first = up(small)
    first.ready()
    for words in (("up",), ("up", "--no-demo", "--port", "1")):
        second = opsloop(*words, cwd=small)
        assert (second.returncode, second.stdout) == (5, "")
        assert f"is held by process {first.process.pid} (it answers at {first.url})" in second.stderr
        assert second.stderr.count("\n") == 1
    assert opsloop("token", "create", "ci", cwd=small).returncode == 0
    assert first.stop() == 0


def test_addresses_that_are_none_are_refused(small: Path) -> None:
    for host, sentence in (("no-such-host.invalid", "without authentication"), ("", "without authentication")):
        said = run("up", "--host", host, "--project", str(small))
        assert (said.code, said.out) == (1, "")
        assert sentence in said.err
