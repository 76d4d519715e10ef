from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.drift.options import DriftOptions, Rule


def test_a_word_alone_is_the_method() -> None:
    assert DriftOptions.parse("z_score").method is Rule.Z_SCORE
    assert DriftOptions.parse(None) == DriftOptions()


def test_what_is_written_is_read_back() -> None:
    options = DriftOptions.parse({"method": "sequential", "false_alarms_per_year": 2, "block": 50, "columns": ["a"]})
    assert (options.false_alarms_per_year, options.block, options.columns) == (2.0, "50", ("a",))
    assert DriftOptions.parse(options.as_mapping()) == options


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"method": "magic"}, "drift.method"),
        ({"false_alarms_every": "often"}, "drift.false_alarms_every"),
        ({"false_alarms_every": 0}, "drift.false_alarms_every"),
        ({"false_alarms_per_year": -1}, "drift.false_alarms_per_year"),
        ({"tolerance": 3}, "drift.tolerance"),
        ({"block": "week"}, "drift.block"),
        ({"columns": "a"}, "drift.columns"),
        ({"watch_predictions": 1}, "drift.watch_predictions"),
        ({"colour": "red"}, "drift.colour"),
        ([], "drift"),
    ],
)
def test_a_bad_value_names_its_key(written: Any, field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        DriftOptions.parse(written)
