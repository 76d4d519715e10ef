"""The Presidio engine on the real package: in this environment, or in the one that the benchmark keeps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from opsloop.guardrails.scan import listed, scan

ROOT = Path(__file__).parents[3]
TEXT = "Write to ada@example.org, card 4111 1111 1111 1111, or ring +44 20 7946 0958."
PROGRAM = """
import json, socket, sys
sys.path.append(sys.argv[2])  # behind Presidio's own libraries: what Opsloop itself needs
def refuse(*_, **__): raise OSError("no network")
socket.socket.connect = refuse
from opsloop.guardrails.screens.own.presidio import search
print(json.dumps([[each.kind, each.start, each.end, each.score] for each in search(sys.argv[1])]))
"""


def python_with_presidio() -> str:
    if find_spec("presidio_analyzer") is not None:
        return sys.executable
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opsloop-bench"
    kept = sorted(cache.glob(f"presidio-analyzer-*-{sys.implementation.cache_tag}/bin/python"))
    if not kept:
        pytest.skip("Presidio is not installed: pip install opsloop[presidio], or run benchmarks/pii.py once")
    return str(kept[-1])


def test_presidio_finds_by_our_words_and_reaches_for_no_network() -> None:
    done = subprocess.run(
        [python_with_presidio(), "-W", "ignore", "-c", PROGRAM, TEXT, sysconfig.get_path("purelib")],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {(kind, TEXT[start:end]) for kind, start, end, _ in json.loads(done.stdout.splitlines()[-1])}
    assert {("email", "ada@example.org"), ("payment_card", "4111 1111 1111 1111")} <= found
    assert "phone" in {kind for kind, _ in found}


@pytest.mark.skipif(find_spec("presidio_analyzer") is not None, reason="Presidio is installed here")
def test_without_presidio_its_screen_says_what_it_needs() -> None:
    (failure,) = scan(TEXT, ["presidio"]).failures
    assert failure.reason == "it needs opsloop[presidio], which is not installed"
    (shown,) = [each for each in listed() if each.name == "presidio"]
    assert (shown.by_default, shown.needs, shown.trouble) == (False, "opsloop[presidio]", failure.reason)
    assert "presidio" not in {each.screen for each in scan(TEXT).failures}
