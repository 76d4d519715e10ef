"""Files that help desks export: CSV with a head, a JSON list (or an object that holds one), JSON lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput

FIELDS = (
    *("id", "subject", "body", "category", "status", "priority", "tags", "request_id", "endpoint", "link"),
    "opened_at",
)
# How the common help desks call them in exports and APIs.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "ticket_id", "ticketid", "number", "key", "case_number"),
    "subject": ("subject", "title", "summary", "short_description"),
    "body": ("body", "description", "description_text", "comment", "text"),
    "category": ("category", "type", "issue_type", "ticket_type"),
    "status": ("status", "state"),
    "priority": ("priority", "urgency"),
    "tags": ("tags", "labels"),
    "request_id": ("request_id", "opsloop_request_id"),
    "endpoint": ("endpoint",),
    "link": ("link", "url", "html_url", "permalink"),
    "opened_at": ("opened_at", "created_at", "created", "created_time", "opened"),
}
_HOLDERS = ("tickets", "items", "results", "issues", "data")
_UTF8_BOM = "utf-8-sig"


def read(file: Path, *, columns: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tickets of a file as the platform takes them.

    Args:
        columns: which column gives a field, where its name is none of the usual ones.
    Raises: InvalidInput naming file, row and column.
    """
    for field in columns:
        if field not in FIELDS:
            raise InvalidInput(field="--map", value=field, wanted=f"one of {', '.join(FIELDS)}")
    try:
        rows = list(_rows(file))
    except UnicodeDecodeError as error:
        raise InvalidInput(field=file.name, value=f"byte {error.start}", wanted="UTF-8 text") from None
    except (json.JSONDecodeError, csv.Error, RecursionError) as error:
        raise InvalidInput(f"{file.name}: cannot be read: {error}", field=file.name) from None
    if not rows:
        raise InvalidInput(f"{file.name}: has no tickets", field=file.name)
    return [_ticket(file, number, row, columns) for number, row in enumerate(rows, start=1)]


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    text = file.read_text(encoding=_UTF8_BOM)
    match file.suffix.lower():
        case ".csv":
            reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
            yield from ({name: value for name, value in row.items() if name is not None} for row in reader)
        case ".jsonl" | ".ndjson":
            yield from (_object(file, json.loads(line)) for line in text.split("\n") if line.strip())
        case ".json":
            found = json.loads(text)
            if isinstance(found, dict):
                found = next((found[name] for name in _HOLDERS if isinstance(found.get(name), list)), [found])
            yield from (_object(file, each) for each in found)
        case _:
            raise InvalidInput(field="file", value=file.name, wanted="a file that ends in .csv, .json or .jsonl")


def _object(file: Path, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(field=file.name, value=value, wanted="a JSON object for every ticket")
    return value


def _ticket(file: Path, number: int, row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    by_name = {re.sub(r"[^a-z0-9]+", "_", str(name).strip().lower()).strip("_"): value for name, value in row.items()}
    found: dict[str, Any] = {}
    for field in FIELDS:
        if field in columns:
            if columns[field] not in row:
                raise InvalidInput(
                    field=f"{file.name}, row {number}",
                    value=columns[field],
                    wanted=f"a column; it has {', '.join(row)}",
                )
            value = row[columns[field]]
        else:
            value = next((by_name[name] for name in _NAMES[field] if by_name.get(name) not in (None, "")), None)
        if value not in (None, ""):
            found[field] = _value(file, number, field, value)
    if "id" not in found:
        raise InvalidInput(
            f"{file.name}, row {number}: no column gives the ticket's id; name one with --map id=COLUMN", field="id"
        )
    return found


def _value(file: Path, number: int, field: str, value: Any) -> Any:
    if field == "tags":
        parts = value if isinstance(value, list) else re.split(r"[,;|]", str(value))
        return [str(each).strip() for each in parts if str(each).strip()]
    if field == "opened_at":
        try:
            return datetime.fromisoformat(str(value).strip()).isoformat()
        except ValueError:
            raise InvalidInput(
                field=f"{file.name}, row {number}: {field}", value=value, wanted="a moment such as 2026-11-20T10:00:00Z"
            ) from None
    if isinstance(value, dict | list):
        raise InvalidInput(field=f"{file.name}, row {number}: {field}", value=value, wanted="text")
    return str(value)
