"""A folder of documents as a user brings it in, without a server: what cannot be read is told and stops nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.up import opsloop


@pytest.mark.slow
def test_a_folder_is_taken_in_with_its_folders_and_what_is_refused_is_told(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: notes\n")
    folder = tmp_path / "documents"
    (folder / "deep").mkdir(parents=True)
    (folder / "leave.md").write_text("Employees have 25 days of leave.")
    (folder / "deep" / "care.txt").write_text("Dental care is covered.")
    (folder / "deep" / "again.txt").write_text("Dental care is covered.")
    (folder / "deep" / "broken.txt").write_bytes(b"\xff\xfe\x00")
    (folder / ".hidden.txt").write_text("not for anybody")

    done = opsloop("rag", "upload", "notes", "documents", "--recursive", "--json", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["ingest"]["stored"], told["ingest"]["duplicate"], told["ingest"]["refused"]) == (2, 1, 1)
    assert [each["filename"] for each in told["refused"]] == ["broken.txt"]
    assert "1 of 4 documents were refused; the first: broken.txt" in done.stderr
    listed = opsloop("rag", "ingests", "notes", told["ingest"]["id"], cwd=tmp_path)
    assert listed.stdout.count("stored") == 2
    documents = json.loads(opsloop("rag", "list", "notes", "--json", cwd=tmp_path).stdout)["items"]
    paths = {each["filename"]: each["metadata"] for each in documents}
    assert paths == {"leave.md": {}, "again.txt": {"path": "deep/again.txt"}}


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: notes\n")
    (tmp_path / "empty").mkdir()

    done = opsloop("rag", "upload", "notes", "empty", cwd=tmp_path)

    assert done.returncode == 2
    assert "empty holds no file to upload; its folders are looked at with --recursive" in done.stderr
