"""From the rows of runs to what a gate decides: slices, matched rows, and what was not measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.gate_cases import case_of, compared, spread_over_slices
from opsloop.evaluation.models import GateSpec, RowRecord, Run, RunDataset, RunId, RunStatus
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.statistics.decide import decide_cases
from opsloop.evaluation.verdicts import Decision, Verdict

AT_LEAST, MARGIN = Rule("correct", at_least=0.5), Rule("correct", margin=0.1)


def run(*datasets: str, name: str = "run_1") -> Run:
    used = tuple(RunDataset(each, f"digest of {each}", 100) for each in datasets or ("golden@1",))
    return Run(
        id=RunId(name),
        experiment="answers",
        flow="answer@1",
        flow_digest="f",
        datasets=used,
        status=RunStatus.DONE,
        metrics={},
        rows=100,
        failed_rows=0,
        done=100,
        total=100,
        verdict=None,
        error=None,
        job="job_1",
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
        created_by="test",
        finished_at=None,
    )


def record(row: int, score: float | None, *, dataset: str = "golden@1", **changes: Any) -> RowRecord:
    given: dict[str, Any] = {
        "dataset": dataset,
        "row": row,
        "repeat": 0,
        "data": {"id": f"q{row}", "language": "de" if row % 2 else "en"},
        "inputs": {},
        "outputs": {},
        "scores": {"correct": score},
        "errors": {},
        "error": None,
        "latency_ms": 1.0,
    }
    return RowRecord(**{**given, **changes})


def records(scores: Sequence[float | None], **changes: Any) -> list[RowRecord]:
    return [record(row, score, **changes) for row, score in enumerate(scores)]


def failed(row: int, score: float | None) -> RowRecord:
    return record(row, score, errors={"correct": "the flow failed"}, error="boom")


def decided(
    rule: Rule, ours: Sequence[RowRecord], theirs: Sequence[RowRecord] | None = None, spec: GateSpec | None = None
) -> Decision:
    given = spec if spec is not None else GateSpec(rules=(rule,))
    beside = run(name="run_0") if theirs is not None else None
    rows = compared(given, run(), ours, beside, theirs or ())
    return decide_cases([case_of(rule, given, rows)], alpha=given.alpha)[0]


def test_repeats_of_a_row_count_once() -> None:
    repeated = [record(row, float(repeat > 0), repeat=repeat) for row in range(100) for repeat in range(4)]
    found = decided(AT_LEAST, repeated)
    assert (found.rows, found.estimate) == (100, 0.75)


def test_rows_on_which_the_flow_failed_count_with_the_worst_value_and_are_told() -> None:
    found = decided(AT_LEAST, [*records([1.0] * 95), *(failed(row, 0.0) for row in range(95, 100))])
    assert (found.verdict, found.estimate, found.failed_rows, found.not_measured) == (Verdict.PASS, 0.95, 5, 0)
    assert "5 failed" in found.sentence


def test_nothing_passes_when_more_than_a_fifth_of_the_rows_failed() -> None:
    ours = [*records([1.0] * 75), *(failed(row, 0.0) for row in range(75, 100))]
    found = decided(AT_LEAST, ours)
    assert found.p_value < 0.05
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.held == "it failed on 25 of 100 rows; at most 20% may, see max_failed"
    assert decided(AT_LEAST, ours, spec=GateSpec(rules=(AT_LEAST,), max_failed=0.3)).verdict is Verdict.PASS


def test_two_runs_that_fail_alike_are_not_equal() -> None:
    broken = [*records([1.0] * 40), *(failed(row, 0.0) for row in range(40, 100))]
    assert decided(MARGIN, broken, broken).verdict is Verdict.INCONCLUSIVE
    fine = records([1.0] * 100)
    found = decided(MARGIN, fine, broken)
    assert (found.verdict, found.held[:12]) == (Verdict.INCONCLUSIVE, "the baseline")


@pytest.mark.parametrize("lacking", ["failed without a worst value", "not run"])
def test_nothing_passes_when_more_than_a_fifth_could_not_be_measured(lacking: str) -> None:
    def missing(row: int) -> RowRecord:
        if lacking == "not run":
            return record(row, None, scores={}, skipped="the budget was used up")
        return failed(row, None)

    spec = GateSpec(rules=(AT_LEAST,), max_failed=1.0)
    most, few = (
        decided(AT_LEAST, [*records([1.0] * kept), *(missing(row) for row in range(kept, 100))], spec=spec)
        for kept in (75, 85)
    )
    assert (most.verdict, most.not_measured) == (Verdict.INCONCLUSIVE, 25)
    assert most.held == "25 of 100 rows were not measured; at most 20% may, see max_missing"
    assert (few.verdict, few.not_measured, few.rows) == (Verdict.PASS, 15, 85)


def test_a_metric_that_does_not_apply_may_leave_out_fewer_than_half() -> None:
    half, fewer = (decided(AT_LEAST, records([1.0] * kept + [None] * (100 - kept))) for kept in (50, 51))
    assert (half.verdict, half.held[:12]) == (Verdict.INCONCLUSIVE, "50 of 100 ro")
    assert (fewer.verdict, fewer.not_measured) == (Verdict.PASS, 49)
    stricter = GateSpec(rules=(AT_LEAST,), max_missing=0.1)
    assert decided(AT_LEAST, records([1.0] * 80 + [None] * 20), spec=stricter).verdict is Verdict.INCONCLUSIVE
    laxer = GateSpec(rules=(AT_LEAST,), max_missing=1.0)
    assert decided(AT_LEAST, records([1.0] * 40 + [None] * 60), spec=laxer).verdict is Verdict.PASS


def test_rows_that_only_the_baseline_could_answer_are_lacking() -> None:
    theirs = records([1.0] * 100)
    found = decided(MARGIN, records([1.0] * 70 + [None] * 30), theirs)
    assert (found.verdict, found.not_measured, found.rows) == (Verdict.INCONCLUSIVE, 30, 70)


def test_too_few_measured_rows_do_not_save_a_candidate_that_is_worse() -> None:
    ours = [*records([0.0] * 60), *(failed(row, 0.0) for row in range(60, 100))]
    assert decided(AT_LEAST, ours).verdict is Verdict.FAIL


def test_a_metric_of_one_dataset_says_nothing_of_the_rows_of_another() -> None:
    others = [record(row, None, dataset="german@1", scores={"fluent": 1.0}) for row in range(300)]
    given = GateSpec(rules=(AT_LEAST,))
    rows = compared(given, run("golden@1", "german@1"), [*records([1.0] * 100), *others], None, ())
    case = case_of(AT_LEAST, given, rows)
    assert (len(case.candidate), case.not_measured, case.held) == (100, 0, "")


def test_a_rule_is_judged_on_the_rows_of_its_slice() -> None:
    spec = GateSpec(rules=(AT_LEAST,), slices={"german": {"language": "de"}, "all": "length(id) > 0"})
    ours = [record(row, float(row % 2)) for row in range(100)]
    found = decided(Rule("correct", at_least=0.9, slice="german"), ours, spec=spec)
    assert (found.verdict, found.rows, found.slice, found.estimate) == (Verdict.PASS, 50, "german", 1.0)
    assert found.sentence.startswith("correct in german 1 [")
    assert decided(Rule("correct", at_least=0.9, slice="all"), ours, spec=spec).verdict is Verdict.FAIL


def test_a_rule_on_each_slice_leaves_out_those_with_few_rows_and_says_so() -> None:
    rule = Rule("correct", at_least=0.5, slice="each", min_rows=40)
    spec = GateSpec(rules=(rule,), slices={"german": {"language": "de"}, "first": {"id": "q0"}})
    rows = compared(spec, run(), records([1.0] * 100), None, ())
    rules, left_out = spread_over_slices(spec.rules, spec, rows)
    assert [each.slice for each in rules] == ["german"]
    assert left_out == ["slice first has 1 row, fewer than 40: correct is not judged on it"]


def test_rows_of_one_conversation_share_a_cluster() -> None:
    spec = GateSpec(rules=(AT_LEAST,), cluster_by="language")
    case = case_of(AT_LEAST, spec, compared(spec, run(), records([1.0] * 4), None, ()))
    assert case.clusters == ["value 'en'", "value 'de'"] * 2
    assert decided(AT_LEAST, records([1.0] * 100), spec=spec).verdict is Verdict.INCONCLUSIVE


def versions(spec: GateSpec, ours: list[RowRecord], theirs: list[RowRecord]) -> Any:
    return compared(spec, run("golden@2", name="run_2"), ours, run("golden@1"), theirs)


def on(version: str, ids: Sequence[int], score: float = 1.0) -> list[RowRecord]:
    return [record(row, score, dataset=version, data={"id": f"q{number}"}) for row, number in enumerate(ids)]


def test_runs_on_two_versions_are_compared_on_the_rows_with_the_same_key() -> None:
    spec = GateSpec(rules=(MARGIN,), key="id")
    rows = versions(spec, on("golden@2", range(20, 120)), on("golden@1", range(100)))
    case = case_of(MARGIN, spec, rows)
    assert (len(case.candidate), case.baseline, case.not_measured) == (80, [1.0] * 80, 0)
    assert rows.notes == (
        "compared on the 80 rows that have the same id in both runs; 20 of this run's rows and 20 of the baseline's "
        "are not common",
    )
    assert len(case_of(AT_LEAST, spec, rows).candidate) == 100


def test_a_moved_row_is_compared_with_itself() -> None:
    spec = GateSpec(rules=(MARGIN,), key="id")
    ours = [record(row, score, dataset="golden@2", data={"id": f"q{1 - row}"}) for row, score in enumerate([0.0, 1.0])]
    theirs = [record(row, score, data={"id": f"q{row}"}) for row, score in enumerate([1.0, 0.0])]
    case = case_of(MARGIN, spec, versions(spec, ours, theirs))
    assert (case.candidate, case.baseline) == ([0.0, 1.0], [0.0, 1.0])


def test_runs_on_two_versions_need_a_key_that_tells_rows_apart() -> None:
    with pytest.raises(NotComparable, match=r"golden@2, the baseline on golden@1.*`key`"):
        versions(GateSpec(rules=(MARGIN,)), on("golden@2", [1]), on("golden@1", [1]))
    with pytest.raises(NotComparable, match="'q1' is there twice"):
        versions(GateSpec(rules=(MARGIN,), key="id"), on("golden@2", [1, 1]), on("golden@1", [1]))
    with pytest.raises(NotComparable, match="no row of golden@2 has the same id"):
        versions(GateSpec(rules=(MARGIN,), key="id"), on("golden@2", [1, 2]), on("golden@1", [3, 4]))


def test_rows_that_must_not_flip_are_named() -> None:
    rule = Rule("correct", no_flips=True)
    found = decided(rule, records([1.0, 0.0, 1.0, 0.0]), records([1.0, 1.0, 0.0, 0.0]))
    assert (found.verdict, found.flips, found.flipped) == (Verdict.FAIL, 1, ("golden@1 row 2",))


def test_flips_of_scores_need_to_know_what_a_pass_is() -> None:
    ours, theirs = records([0.9, 0.4]), records([0.9, 0.7])
    with pytest.raises(InvalidInput, match="rule for correct, pass_at"):
        decided(Rule("correct", no_flips=True), ours, theirs)
    assert decided(Rule("correct", no_flips=True, pass_at=0.6), ours, theirs).flips == 1
    assert decided(Rule("correct", no_flips=True, pass_at=0.3), ours, theirs).flips == 0
