"""The table of a run's rows where pandas is not installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opsloop.flows.compat.details import Details

ROWS: list[dict[str, Any]] = [{"a": 1, "b": "x" * 60}, {"a": 2, "c": None}]


def test_it_has_what_scripts_use_of_a_data_frame(tmp_path: Path) -> None:
    table = Details(ROWS)

    assert (table.columns, table.shape, len(table), table.empty) == (["a", "b", "c"], (2, 3), 2, False)
    assert table["a"] == [1, 2]
    assert table[["c", "a"]].to_dict("records") == [{"c": None, "a": 1}, {"c": None, "a": 2}]
    assert [row["a"] for _, row in table.iterrows()] == [1, 2]
    assert table.head(1).shape == (1, 3)
    assert table.tail(1).to_dict("list") == {"a": [2], "b": [None], "c": [None]}
    assert table.to_dict() == {"a": {0: 1, 1: 2}, "b": {0: "x" * 60, 1: None}, "c": {0: None, 1: None}}
    assert [json.loads(line)["a"] for line in (table.to_json(lines=True) or "").splitlines()] == [1, 2]
    table.to_json(tmp_path / "rows.json")
    assert json.loads((tmp_path / "rows.json").read_text())[1]["a"] == 2
    with pytest.raises(KeyError):
        table["nowhere"]


def test_it_prints_aligned_and_short() -> None:
    lines = repr(Details(ROWS)).splitlines()

    assert lines[0].split() == ["a", "b", "c"]
    assert max(map(len, lines)) < 60
