"""Prometheus' own programs, under the names that Debian and the projects give them."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def program(*names: str) -> str:
    """The path of the first that is installed; skips without any."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no {names[0]} on this machine: install the Debian packages prometheus and prometheus-alertmanager")


def run(*words: str) -> str:
    """What a command prints; fails with it when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
