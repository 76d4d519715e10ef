"""An export: the trail as JSON lines, events first, then checkpoints; each line is canonical JSON (RFC 8785)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import rfc8785

from opsloop.core.audit.chain import FIELDS, StoredCheckpoint, StoredEvent

_ID = re.compile(rb'"id":"([^"]*)"')


class NotAnExport(ValueError):
    """None of the lines is a line of an export."""


def lines(events: Iterable[StoredEvent], checkpoints: Iterable[StoredCheckpoint]) -> Iterator[bytes]:
    """A damaged event is exported too, and does not hold in the export either."""
    for event in events:
        fields = {name: _text(getattr(event, name)) for name in FIELDS}
        yield rfc8785.dumps({"kind": "event", "seq": event.seq, **fields}) + b"\n"
    for mark in checkpoints:
        fields = {"head": _text(mark.head), "signature": _text(mark.signature)}
        yield rfc8785.dumps({"kind": "checkpoint", "events": mark.events, **fields}) + b"\n"


def read(exported: Iterable[bytes]) -> tuple[list[StoredEvent], list[StoredCheckpoint]]:
    """The events and checkpoints of an export, for a check far from the installation.

    A line that is not as it was exported is an event with a fault, or no checkpoint. Raises: NotAnExport.
    """
    events: list[StoredEvent] = []
    marks: list[StoredCheckpoint] = []
    understood = False
    for line in exported:
        content = line.removesuffix(b"\r\n").removesuffix(b"\n")
        try:
            found = _record(content)
            understood = True
        except (ValueError, TypeError, KeyError, RecursionError):
            found = None
        if isinstance(found, StoredCheckpoint):
            marks.append(found)
        elif found is not None:
            events.append(found)
        elif content and not _is_mark(content):
            _append_damaged(events, content)
    if not understood:
        raise NotAnExport
    return events, marks


def _record(line: bytes) -> StoredEvent | StoredCheckpoint:
    """Raises: ValueError, TypeError, KeyError, RecursionError for anything but one line as it is exported."""
    record: dict[str, Any] = json.loads(line)
    if rfc8785.dumps(record) != line:
        raise ValueError
    if record["kind"] == "checkpoint" and len(record) == 4:
        return StoredCheckpoint(_number(record["events"]), _bytes(record["head"]), _bytes(record["signature"]))
    if record["kind"] == "event" and len(record) == 2 + len(FIELDS):
        fields: dict[str, Any] = {name: _bytes(record[name]) for name in FIELDS}
        return StoredEvent(seq=_number(record["seq"]), **fields)
    raise ValueError


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    return value.encode()


def _is_mark(line: bytes) -> bool:
    # One damaged byte leaves one of the two; in an event's detail the quotes are escaped.
    return b'"kind":"checkpoint"' in line or b'"signature":"' in line


def _append_damaged(events: list[StoredEvent], line: bytes) -> None:
    """Keep a damaged line as an event; a second one is taken for the rest of the first: a new line cut it in two."""
    if events and events[-1].fault is not None:
        events[-1] = replace(events[-1], id=events[-1].id or _id(line))
        return
    fields: dict[str, Any] = {**dict.fromkeys(FIELDS, b""), "id": _id(line)}
    events.append(StoredEvent(seq=len(events) + 1, **fields, fault="its line is not as it was exported"))


def _id(line: bytes) -> bytes:
    named = _ID.search(line)
    return named[1] if named is not None else b""


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
