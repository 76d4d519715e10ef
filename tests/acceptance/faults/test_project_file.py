"""What is wrong in `opsloop.yaml` is told with its place, before anything is touched: exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.in_process import run
from tests.acceptance.up import opsloop

STRATEGY = "endpoints: {chat: {flow: flows/answer, strategy: {canary: {steps: [{share: 2, min_duration_s: 1}]}}}}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("endpoint: {}", "opsloop.yaml:1: endpoint is not known; did you mean 'endpoints'?"),
        (
            "project: x\ndatasets:\n  a: {sourc: x}",
            "opsloop.yaml:3: datasets.a.sourc is not known; did you mean 'source'?",
        ),
        ("endpoints: {chat: {flwo: x}}", "opsloop.yaml:1: endpoints.chat.flwo is not known; did you mean 'flow'?"),
        (
            "endpoints: {chat: {zzz: x}}",
            "zzz is not known; known here: config, environment, experiment, flow, guardrails, keep_texts, objectives, "
            "scoring, strategy",
        ),
        ("settings: {prot: 1}", "opsloop.yaml:1: settings.prot is not known; did you mean 'port'?"),
        ("settings: {port: nine}", "setting port: is 'nine'; wanted"),
        ("settings: {PORT: 9}", "settings.PORT is 9; wanted a setting's name in lower case: port"),
        ("settings: {gateway_timeout_s: -1}", "setting gateway_timeout_s: is -1; wanted greater than 0"),
        ("settings: {auth: nobody}", "setting auth: is 'nobody'; wanted 'auto' or 'keys'"),
        ("settings: [1]", "settings is [1]; wanted a mapping of keys to values"),
        ("a: [", "opsloop.yaml:1: not valid YAML"),
        ("a: &a [*a]", "opsloop.yaml:1: is over 50 levels deep"),
        ("a: 1\na: 2", "opsloop.yaml:2: the key 'a' stands twice"),
        ("- 1", "opsloop.yaml:1: wanted a mapping of keys to values"),
        ("project: 5", "opsloop.yaml:1: project is 5; wanted text"),
        ("? [1]\n: 2", "wanted text as a key"),
        ("a: !!python/object/apply:os.system [x]", "opsloop.yaml:1"),
        (b"\xff\xfe\x00", "is not UTF-8 text (byte 0)"),
        (b"a: b\nc: \x00", "opsloop.yaml:2: not valid YAML: a character that text does not hold"),
        ("a: " + "[" * 500_000, "opsloop.yaml:1: is over 50 levels deep"),
        ("x" * 1_000_001, "is over the limit of 1000000 bytes"),
    ],
    ids=lambda value: str(value)[:24],
)
@pytest.mark.parametrize("words", [("up", "--no-demo"), ("data", "list"), ("apply", "--dry-run")], ids=" ".join)
def test_a_wrong_file_is_told_with_its_place(
    tmp_path: Path, words: tuple[str, ...], content: str | bytes, sentence: str
) -> None:
    (tmp_path / "opsloop.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    said = run(*words, "--project", str(tmp_path))
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / ".opsloop" / "state.db").exists()


@pytest.mark.parametrize("words", [("up",), ("audit", "list")])
def test_a_process_of_its_own_says_the_same(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "opsloop.yaml").write_text("endpoint: {}\n")
    done = opsloop(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"opsloop: {tmp_path}/opsloop.yaml:1: endpoint is not known; did you mean 'endpoints'?\n"


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").mkdir()
    said = run("up", "--project", str(tmp_path))
    assert said.code in (2, 3)
    assert said.err.count("\n") == 1
