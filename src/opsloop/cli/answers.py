"""Answers of queries, in the forms that people and programs read."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from opsloop.cli import text

if TYPE_CHECKING:
    from opsloop.datasets.models import QueryAnswer


def table(found: QueryAnswer) -> str:
    rows = [[_cell(value) for value in row] for row in found.rows]
    return text.table([column.name for column in found.columns], rows) or "no rows"


def comma_separated(found: QueryAnswer) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in found.columns])
    writer.writerows([_cell(value) for value in row] for row in found.rows)
    return out.getvalue().removesuffix("\n")


def json_array(found: QueryAnswer) -> str:
    return json.dumps(_objects(found), ensure_ascii=False, indent=2)


def json_lines(found: QueryAnswer) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in _objects(found))


def _objects(found: QueryAnswer) -> list[dict[str, Any]]:
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else value


FORMS = {"table": table, "csv": comma_separated, "json": json_array, "jsonl": json_lines}
