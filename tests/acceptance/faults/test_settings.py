"""A setting that cannot be used is refused at the start, by name; a place that is away is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.in_process import run
from tests.acceptance.up import opsloop

UP = ("up", "--no-demo")


@pytest.mark.parametrize("words", [UP, ("data", "list")], ids=" ".join)
@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("OPSLOOP_PORT", "abc", "setting port: is 'abc'; wanted a valid integer"),
        ("OPSLOOP_PORT", "70000", "setting port: is '70000'; wanted less than or equal to 65535"),
        ("OPSLOOP_BODY_LIMIT_BYTES", "-1", "setting body_limit_bytes: is '-1'; wanted greater than 0"),
        ("OPSLOOP_LOG_LEVEL", "loud", "setting log_level: is 'loud'; wanted 'debug', 'info', 'warning' or 'error'"),
        ("OPSLOOP_AUTH", "kyes", "setting auth: is 'kyes'; wanted 'auto' or 'keys'"),
        ("OPSLOOP_GATEWAY_TIMEOUT_S", "soon", "setting gateway_timeout_s: is 'soon'; wanted a valid number"),
        ("OPSLOOP_ROLLOUT_TICK_S", "-3", "setting rollout_tick_s: is '-3'; wanted"),
        ("OPSLOOP_ARTIFACTS_URL", "s3://bucket", "artifacts_url: is 's3://bucket'; wanted file:///FOLDER"),
        ("OPSLOOP_DATABASE_URL", "nonsense", "database_url: is 'nonsense'; wanted sqlite:///FILE or postgresql://"),
        ("OPSLOOP_DATABASE_URL", "mysql://root@db/x", "database_url: is 'mysql'; wanted sqlite:///FILE or postgresql"),
        ("OPSLOOP_DATABASE_URL", "sqlite+aiosqlite:///x", "wanted sqlite:///FILE or postgresql://"),
        ("OPSLOOP_DATABASE_URL", "sqlite:///:memory:", "wanted sqlite:///FILE with a file"),
        ("OPSLOOP_CLIENT_TIMEOUT_S", "x", "setting client_timeout_s: is 'x'; wanted a valid number"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    small: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], setting: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(setting, value)
    said = run(*words, "--project", str(small))
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://me:hunter2@127.0.0.1:1/ops", "Connection refused"),
        ("postgresql://me:hunter2@no-such-host.invalid/ops", "failed to resolve host"),
        ("sqlite:////proc/none/state.db", "No such file or directory"),
    ],
)
@pytest.mark.parametrize("words", [UP, ("data", "list")], ids=" ".join)
def test_a_database_that_is_away_is_told_without_its_password(
    small: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], url: str, reason: str
) -> None:
    monkeypatch.setenv("OPSLOOP_DATABASE_URL", url)
    said = run(*words, "--project", str(small))
    assert (said.code, said.out) == (7, "")
    assert f"cannot be reached: {reason}" in said.err or reason in said.err
    assert "hunter2" not in said.err
    assert said.err.count("\n") == 1


def test_a_process_of_its_own_says_the_same(small: Path) -> None:
    done = opsloop(*UP, cwd=small, OPSLOOP_PORT="abc")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("opsloop: setting port: is 'abc'; wanted a valid integer")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("OPSLOOP_URL", "nonsense", 2),
        ("OPSLOOP_URL", "http://127.0.0.1:x", 2),
        ("OPSLOOP_URL", "http://127.0.0.1:1", 7),
        ("OPSLOOP_TOKEN", "opl_\N{LATIN SMALL LETTER E WITH ACUTE}", 2),
        ("OPSLOOP_TOKEN", "opl_a\nb", 2),
    ],
)
def test_a_server_or_a_key_that_cannot_be_used_is_told(
    small: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, code: int
) -> None:
    monkeypatch.setenv("OPSLOOP_URL", "http://127.0.0.1:1")
    monkeypatch.setenv(setting, value)
    said = run("data", "list")
    assert said.code == code
    assert setting in said.err
    assert said.err.count("\n") == 1
