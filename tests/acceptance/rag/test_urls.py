"""A document by its URL, as a user names it on the command line, from a server of his own network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.up import opsloop
from tests.integration.core.hostile_web import replying, server

PAGE = b"<html><body><h1>Leave</h1><p>Employees get 25 days of leave.</p></body></html>"


@pytest.mark.slow
def test_a_named_host_is_asked_and_another_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.md").write_text("Dental care is covered.")
    with server(replying("HTTP/1.1 200 OK", "Content-Type: text/html", body=PAGE)) as port:
        settings = f"  rag_urls: named\n  rag_url_hosts: 127.0.0.1:{port}\n"
        (tmp_path / "opsloop.yaml").write_text(f"project: notes\nsettings:\n{settings}")
        named, other = f"http://127.0.0.1:{port}/leave", "http://127.0.0.1:1/x"
        done = opsloop("rag", "upload", "notes", "notes.md", named, other, "--json", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["ingest"]["stored"], told["ingest"]["refused"]) == (2, 1)
    assert "a URL of a host and port that is allowed (OPSLOOP_RAG_URL_HOSTS)" in told["refused"][0]["reason"]
    listed = json.loads(opsloop("rag", "list", "notes", "--json", cwd=tmp_path).stdout)["items"]
    assert {each["filename"]: each["metadata"] for each in listed} == {"notes.md": {}, "leave.html": {"url": named}}
    recorded = json.loads(opsloop("audit", "list", "--json", cwd=tmp_path).stdout)["items"]
    assert {"document.fetched", "document.not_fetched"} <= {each["action"] for each in recorded}


def test_urls_are_off_at_first(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: notes\n")
    done = opsloop("rag", "upload", "notes", "https://example.org/leave.html", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "fetching documents is off here (OPSLOOP_RAG_URLS=public allows the public web)" in done.stderr
