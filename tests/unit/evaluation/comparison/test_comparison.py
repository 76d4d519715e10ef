"""Two runs compared: flips, differences, slices, the order of rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.comparison.models import Change
from opsloop.evaluation.comparison.rows import RowsWanted, chosen
from opsloop.evaluation.comparison.service import compare_rows
from opsloop.evaluation.comparison.slices import columns_for_slices, slices
from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.models import GateSpec, RunDataset
from opsloop.evaluation.statistics.paired import compare
from opsloop.evaluation.verdicts import Rule
from tests.unit.evaluation.made import compared, experiment, row, rows, run


def test_rows_that_passed_and_fail_now_broke_and_the_other_way_round_were_mended() -> None:
    found = compared(rows([1, 1, 0, 0]), rows([1, 0, 1, 0]))
    exact = found.comparison.metrics[0]
    assert (exact.broke, exact.mended, exact.better, exact.worse, exact.same) == (1, 1, 1, 1, 2)
    assert [(each.row, each.broke, each.mended) for each in found.rows if each.broke or each.mended] == [
        (1, ("exact",), ()),
        (2, (), ("exact",)),
    ]
    assert found.comparison.rows.broke == 1


def test_the_difference_and_its_interval_are_those_of_the_gates_statistics() -> None:
    before, after = [1.0] * 40 + [0.0] * 20, [1.0] * 30 + [0.0] * 30
    exact = compared(rows(before), rows(after)).comparison.metrics[0]
    known = compare("exact", after, before)
    assert exact.difference == pytest.approx(-10 / 60)
    assert (exact.low, exact.high) == (known.low, known.high)
    assert exact.change is Change.WORSE


def test_a_lower_latency_is_better_and_says_nothing_of_rows() -> None:
    slow = [replace(each, scores={**each.scores, "latency": 500.0}) for each in rows([1] * 20)]
    found = compared(slow, rows([1] * 20))
    latency = found.comparison.metrics[1]
    assert (latency.change, latency.passing, latency.broke) == (Change.BETTER, None, 0)
    assert found.comparison.rows.same == 20


def test_a_latency_has_a_passing_value_where_the_gate_sets_one() -> None:
    slow = [replace(each, scores={**each.scores, "latency": 500.0}) for each in rows([1] * 5)]
    found = compared(rows([1] * 5), slow, Rule("latency", at_most=200, higher_is_better=False))
    assert found.comparison.metrics[1].broke == 5


def test_worse_rows_come_first_and_better_ones_last() -> None:
    found = compared(rows([1, 0.4, 0, 1, 0.9]), rows([1, 0.2, 1, 0, 0.9]))
    assert [each.row for each in found.rows] == [3, 1, 0, 4, 2]
    assert [each.row for each in chosen(found.rows, RowsWanted.DIFFERENT)] == [3, 1, 2]
    assert [each.row for each in chosen(found.rows, RowsWanted.BROKE)] == [3]
    assert [each.row for each in chosen(found.rows, RowsWanted.BETTER)] == [2]


def test_another_output_with_the_same_score_is_a_change() -> None:
    after = [row(0), row(1, answer="yes, of course")]
    found = compared(rows([1, 1]), after)
    assert [each.row for each in chosen(found.rows, RowsWanted.DIFFERENT)] == [1]
    assert found.comparison.rows.other == 1


def test_a_row_not_measured_on_one_side_is_left_out_of_that_metric_only() -> None:
    exact, latency = compared(rows([1, None, 0]), rows([1, 1, 0])).comparison.metrics
    assert (exact.rows, latency.rows) == (2, 3)


def test_repeats_count_once() -> None:
    before = [replace(row(0, score), repeat=repeat) for repeat, score in enumerate((1.0, 0.0))]
    after = [replace(row(0, 0.0), repeat=repeat) for repeat in range(2)]
    (exact, _) = compared(before, after).comparison.metrics
    assert (exact.rows, exact.base, exact.head) == (1, 0.5, 0.0)


def test_slices_are_cut_by_columns_with_few_values_or_by_the_one_that_is_asked_for() -> None:
    before, after = rows([1] * 20), rows([1, 0] * 10)
    assert [(each.name, each.rows) for each in compared(before, after).comparison.slices] == [
        ("topic: pay", 10),
        ("topic: leave", 10),
    ]
    leave = compared(before, after, by="topic").comparison.slices[1]
    assert (leave.metrics[0].base, leave.metrics[0].head, leave.metrics[0].broke) == (1.0, 0.0, 10)
    with pytest.raises(InvalidInput, match="question, truth, topic"):
        compared(before, after, by="subject")


def test_a_column_with_many_values_long_texts_or_figures_cuts_nothing() -> None:
    data = [{"id": n, "text": f"{n % 2}" * 80, "ratio": 0.5, "kind": n % 2 == 0} for n in range(40)]
    assert columns_for_slices(data) == ["kind"]
    assert {name: len(places) for name, places in slices(data, "kind").items()} == {"kind: true": 20, "kind: false": 20}
    assert "id: 28 others" in slices(data, "id")


def test_runs_without_a_common_dataset_are_not_compared_and_shared_ones_are() -> None:
    other = run("run_1", "answer@1", datasets=(RunDataset("else@1", "e" * 64, 4),))
    with pytest.raises(NotComparable, match="golden@1, the other on else@1"):
        compare_rows(other, run(), rows([1]), rows([1]), experiment())
    wide = run(datasets=(*run().datasets, RunDataset("extra@1", "e" * 64, 1)))
    extra = replace(row(0), dataset="extra@1")
    found = compare_rows(run("run_1"), wide, rows([1, 1]), [*rows([1, 1]), extra], experiment())
    assert (found.comparison.rows.all, found.comparison.left_out) == (2, ("extra@1",))


def test_the_sentence_says_what_is_worse_first() -> None:
    worse = compared(rows([1] * 60), rows([1] * 30 + [0] * 30)).comparison.sentence
    assert worse.startswith("Worse in 1 of 2 metrics: exact fell 0.50 (1.00 to 0.50; 95 % interval")
    assert worse.endswith("30 of 60 rows broke, 0 were mended.")
    same = compared(rows([1] * 9), rows([1] * 9)).comparison.sentence
    assert same == "No metric is shown to differ. 0 of 9 rows broke, 0 were mended."


def test_rows_of_other_versions_are_matched_by_the_gates_key() -> None:
    older = run("run_1", "answer@1", datasets=(RunDataset("golden@0", "e" * 64, 3),))
    before = [replace(each, dataset="golden@0", row=each.row + 7) for each in rows([1, 1, 1])]
    keyed = replace(experiment(Rule("exact", margin=0.1)), gate=GateSpec((Rule("exact", margin=0.1),), key="question"))
    found = compare_rows(older, run(), before, rows([1, 0]), keyed)
    assert [(each.row, each.broke) for each in found.rows] == [(1, ("exact",)), (0, ())]


def test_the_gates_own_slices_come_first() -> None:
    gate = GateSpec((Rule("exact", at_least=0.5),), slices={"early": "length(question) < 3"})
    found = compare_rows(run("run_1"), run(), rows([1] * 20), rows([1] * 20), replace(experiment(), gate=gate))
    assert [(each.name, each.rows) for each in found.comparison.slices][:2] == [("early", 10), ("topic: pay", 10)]


def test_a_rule_on_flips_says_from_where_a_row_passes() -> None:
    found = compared(rows([0.9, 0.9]), rows([0.7, 0.85]), Rule("exact", no_flips=True, pass_at=0.8))
    assert [(each.row, each.broke) for each in found.rows] == [(0, ("exact",)), (1, ())]
