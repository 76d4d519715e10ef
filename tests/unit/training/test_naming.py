"""The names of a run's files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from opsloop.training import naming

AT = datetime(2026, 11, 26, 3, 0, 0, tzinfo=UTC)


def test_files_are_named_by_the_second_in_utc() -> None:
    stamp = naming.stamp(AT.astimezone(timezone(timedelta(hours=2))), lambda _: False)
    assert naming.keys(stamp) == {
        "model": "models/model-20261126_030000.onnx",
        "metrics": "metrics/metrics-20261126_030000.txt",
        "metrics_json": "metrics/metrics-20261126_030000.json",
    }


def test_runs_that_end_in_one_second_have_names_of_their_own() -> None:
    taken: set[str] = set()
    for _ in range(3):
        taken.add(naming.stamp(AT, lambda name: name in taken))
    assert taken == {"20261126_030000", "20261126_030000-2", "20261126_030000-3"}


def test_figures_stand_one_a_line_below_what_they_are_of() -> None:
    text = naming.metrics_text({"data": "iris@1", "run": None}, {"accuracy": 0.97, "log_loss": 0.1})
    assert text == "data: iris@1\n\naccuracy  0.97\nlog_loss  0.1\n"
