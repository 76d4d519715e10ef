"""`python -m opsloop.testing`, as a user starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

TIMEOUT_S = 60.0
COMMAND = [sys.executable, "-m", "opsloop.testing"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def test_its_first_line_is_its_address_and_it_follows_its_script_until_it_is_stopped(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- {answer: scripted, times: 1}\n")
    arguments = ["--port", "0", "--latency-ms", "0-1", "--script", str(script)]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            with httpx.Client(base_url=address, timeout=TIMEOUT_S, trust_env=False) as client:
                body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
                answers = [client.post("/v1/chat/completions", json=body).json() for _ in range(2)]
                counted = client.get("/_calls").json()
        finally:
            process.terminate()
        _, said = process.communicate(timeout=TIMEOUT_S)
    texts = [answer["choices"][0]["message"]["content"] for answer in answers]
    assert texts == ["scripted", "You said: hello"]
    assert counted["by_endpoint"] == {"chat": 2}
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--script", "none.yaml"], 2, "none.yaml: cannot be read (No such file or directory)"),
        (["--latency-ms", "soon"], 2, "--latency-ms"),
        (["--latency-ms", "20-nan"], 2, "--latency-ms"),
        (["--chunk-ms", "-1"], 2, "--chunk-ms"),
        (["--port", "70000"], 2, "--port"),
    ],
)
def test_what_it_cannot_do_it_says_in_a_sentence(arguments: list[str], code: int, sentence: str) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (code, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_said() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip().rpartition(":")[2]
            result = run("--port", port)
        finally:
            process.terminate()
    assert result.returncode == 5
    assert result.stderr.startswith(f"opsloop.testing: port {port} cannot be used (")
