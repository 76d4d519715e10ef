"""Charts of a training run: folds and importance."""

from __future__ import annotations

from opsloop.console.training_charts import fold_charts, importance_bars


def test_inputs_that_matter_most_come_first_and_the_largest_fills_its_bar() -> None:
    bars = importance_bars(
        [
            {"name": "width", "mean": 0.1, "spread": 0.02},
            {"name": "length", "mean": 0.4, "spread": None},
            {"name": "noise", "mean": -0.01, "spread": 0.01},
        ]
    )
    assert [(bar.name, bar.width, bar.is_below) for bar in bars] == [
        ("length", 100.0, False),
        ("width", 25.0, False),
        ("noise", 2.5, True),
    ]
    assert [bar.figure for bar in bars] == ["0.4", "0.1 ± 0.02", "-0.01 ± 0.01"]
    assert importance_bars([]) == []


def test_each_figure_of_the_folds_has_a_chart() -> None:
    accuracy, loss = fold_charts([{"accuracy": 0.9, "loss": 0.1, "x": 1}, {"accuracy": 1.0, "loss": 0.4}])
    assert (accuracy.name, accuracy.values, round(accuracy.mean, 3)) == ("accuracy", (0.9, 1.0), 0.95)
    assert round(accuracy.low, 3) == 0.875
    assert (loss.low, round(loss.top, 3)) == (0.0, 0.44)
    assert loss.path == "M0 77.3L1000 9.1"


def test_folds_that_are_all_alike_are_a_line() -> None:
    [same] = fold_charts([{"r2": 1.0}, {"r2": 1.0}, {"r2": 1.0}])
    assert same.path.count("L") == 2
    assert same.low < 1.0 < same.top
    assert fold_charts([]) == []
