"""`opsloop monitor label`: say what predicted rows really were."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.client.watching import LabelsAdded

SHOWN = 20
COLUMNS = ("request_id", "row", "label")
# 007 is a name.
_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


@lone(
    "label",
    example="""opsloop monitor label iris labels.csv
    opsloop monitor label iris labels.jsonl --json""",
)
@click.argument("endpoint")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", "as_text", is_flag=True, help="Take labels of a CSV file as text, also those that are numbers.")
def label(session: Session, endpoint: str, file: Path, as_text: bool) -> None:
    """Send the labels in FILE, CSV or JSON lines with request_id, row (0 if left out) and label."""
    labels = read(file, as_text=as_text)
    parts: list[LabelsAdded] = []
    with session.client() as client, session.progress(f"labels of {endpoint}") as progress:
        for part in client.watching.label(endpoint, labels):
            parts.append(part)
            done = sum(len(each.labels) for each in parts)
            progress(done, len(labels))
    counts = {
        name: sum(getattr(part, name) for part in parts) for name in ("kept", "changed", "same", "waiting", "refused")
    }
    refused = [each for part in parts for each in part.labels if each.outcome == "refused"]
    session.answer({**counts, "refusals": refused}, lambda: _in_words(counts, refused))
    if refused and not (counts["kept"] or counts["changed"] or counts["same"] or counts["waiting"]):
        from opsloop.core.errors import InvalidInput

        raise InvalidInput(f"{file.name}: every label was refused; the first: {refused[0].reason}", field="file")


def _in_words(counts: dict[str, int], refused: list[Any]) -> str:
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "no label in the file"
    rows = [(each.request_id, each.row, each.reason) for each in refused[:SHOWN]]
    table = text.table(("request", "row", "refused because"), rows)
    more = f"… and {len(refused) - SHOWN:,} more" if len(refused) > SHOWN else ""
    return "\n".join(filter(None, (told, table, more)))


def read(file: Path, *, as_text: bool = False) -> list[dict[str, Any]]:
    """The labels of a file. Raises: InvalidInput naming file and line."""
    is_lines = file.suffix.lower() in (".jsonl", ".ndjson", ".json")
    found = list(_of_lines(file) if is_lines else _of_csv(file))
    if not is_lines:
        _type(found, as_text=as_text)
    return found


def _of_lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except ValueError as error:
                raise _wrong(file, number, f"not JSON ({error})") from None
            if not isinstance(found, dict) or not {"request_id", "label"} <= set(found):
                raise _wrong(file, number, "wanted an object with request_id and label")
            yield {name: found[name] for name in COLUMNS if name in found}


def _of_csv(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not {"request_id", "label"} <= set(rows.fieldnames or ()):
            raise _wrong(file, 1, f"wanted the columns request_id and label; it has {', '.join(rows.fieldnames or ())}")
        for row in rows:
            place = (row.get("row") or "0").strip()
            if not place.isdecimal():
                raise _wrong(file, rows.line_num, f"row is {place!r}; wanted a whole number from 0")
            yield {"request_id": row["request_id"], "row": int(place), "label": row["label"]}


def _type(labels: list[dict[str, Any]], *, as_text: bool) -> None:
    """Let the labels of a CSV file be numbers when all of them are, or true and false. Mutates: labels."""
    values = [each["label"] for each in labels]
    if as_text or not values:
        return
    for read_as in (_whole, _number, _truth):
        try:
            typed = [read_as(value) for value in values]
        except (ValueError, TypeError):
            continue
        for each, value in zip(labels, typed, strict=True):
            each["label"] = value
        return


def _whole(value: str) -> int:
    return int(_written(value, _WHOLE))


def _number(value: str) -> float:
    return float(_written(value, _NUMBER))


def _written(value: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(value.strip()):
        raise ValueError
    return value.strip()


def _truth(value: str) -> bool:
    word = value.strip().lower()
    if word not in ("true", "false"):
        raise ValueError
    return word == "true"


def _wrong(file: Path, line: int, what: str) -> Exception:
    from opsloop.core.errors import InvalidInput

    return InvalidInput(f"{file.name}, line {line}: {what}", field="file")


COMMANDS = (label,)
