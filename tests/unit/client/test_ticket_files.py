"""Exports of help desks as they come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsloop.client import ticket_files
from opsloop.core.errors import InvalidInput


def test_a_csv_with_the_usual_names_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text(
        "\ufeffTicket ID,Subject,Description,Status,Created at,Tags,Other\n"
        '17,Wrong days,"Two\nlines",open,2026-11-20T10:00:00Z,"leave, pay",x\n'
        "18,,Only a body,,,,\n"
    )
    assert ticket_files.read(file, columns={}) == [
        {
            "id": "17",
            "subject": "Wrong days",
            "body": "Two\nlines",
            "status": "open",
            "tags": ["leave", "pay"],
            "opened_at": "2026-11-20T10:00:00+00:00",
        },
        {"id": "18", "body": "Only a body"},
    ]


def test_json_lists_objects_and_lines_are_read_alike(tmp_path: Path) -> None:
    ticket = {"key": "OPS-1", "summary": "Wrong", "labels": ["a"]}
    (tmp_path / "list.json").write_text(json.dumps([ticket]))
    (tmp_path / "held.json").write_text(json.dumps({"issues": [ticket], "total": 1}))
    (tmp_path / "lines.jsonl").write_text(json.dumps(ticket) + "\n\n")
    for name in ("list.json", "held.json", "lines.jsonl"):
        found = ticket_files.read(tmp_path / name, columns={})
        assert found == [{"id": "OPS-1", "subject": "Wrong", "tags": ["a"]}]


def test_columns_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("Nr,What\n1,broken\n")
    assert ticket_files.read(file, columns={"id": "Nr", "body": "What"}) == [{"id": "1", "body": "broken"}]


@pytest.mark.parametrize(
    ("name", "text", "columns", "says"),
    [
        ("t.csv", "subject\nx\n", {}, "no column gives the ticket's id"),
        ("t.csv", "id,created\n1,yesterday\n", {}, "wanted a moment"),
        ("t.csv", "id\n1\n", {"id": "Nr"}, "wanted a column; it has id"),
        ("t.csv", "id\n", {}, "has no tickets"),
        ("t.csv", "id\n1\n", {"colour": "id"}, "wanted one of id"),
        ("t.json", "{", {}, "cannot be read"),
        ("t.json", '["x"]', {}, "a JSON object"),
        ("t.json", '{"id": 1, "body": {"a": 1}}', {}, "wanted text"),
        ("t.xml", "<x/>", {}, "ends in .csv"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, text: str, columns: dict[str, str], says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput, match=says):
        ticket_files.read(tmp_path / name, columns=columns)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"id,subject\n1,\xff\xfe\n")
    with pytest.raises(InvalidInput, match="UTF-8"):
        ticket_files.read(tmp_path / "t.csv", columns={})
