"""The JSON report keeps its form under its name."""

from __future__ import annotations

import msgspec

from opsloop.evaluation.reports.json_report import FORMAT, JsonReport, render, schema
from tests.unit.evaluation.made import hostile_report, report, rows


def test_a_report_is_read_back_and_fits_its_schema() -> None:
    import jsonschema

    for made in (report(rows([1, 0]), rows([1, 1])), report([]), hostile_report()):
        text = render(made).encode("utf-8", "replace")
        found = msgspec.json.decode(text, type=JsonReport)
        assert found.format == FORMAT
        jsonschema.validate(msgspec.json.decode(text), msgspec.json.decode(schema()))


def test_rows_that_broke_are_told_apart() -> None:
    found = msgspec.json.decode(render(report(rows([1, 0]), rows([1, 1]))), type=JsonReport)
    assert [each.row for each in found.broke] == [1]
    assert len(found.rows) == 2
