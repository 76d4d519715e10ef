"""SIGKILL at random moments of an ingest: what was acknowledged is there once, and nothing is there by half."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.rag.killing import (
    assert_each_is_there_once,
    assert_none_is_half_indexed,
    documents,
    ingest_and_kill,
)
from tests.acceptance.up import Up

# TESTS_LONG=1 asks for the long form: 20 kills take some minutes.
KILLS = 20 if os.environ.get("TESTS_LONG") else 4


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_killed_ingest_stores_each_acknowledged_document_once(tmp_path: Path, port: int, started: list[Up]) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "opsloop.yaml").write_text("project: notes\n")
    sent = documents(1_000)

    last = ingest_and_kill(project, port, started, sent, kills=KILLS, seed=20_261)

    assert_each_is_there_once(last, sent)
    assert last.stop() == 0
    assert_none_is_half_indexed(project)
