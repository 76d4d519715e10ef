from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.decide import decide, decide_all
from opsloop.evaluation.verdicts import Decision, Rule, Verdict, overall


def passing(passed: int, rows: int) -> list[float]:
    return [1.0] * passed + [0.0] * (rows - passed)


def accuracy(passed: int, rows: int, *, at_least: float = 0.8) -> Decision:
    return decide(passing(passed, rows), None, Rule("accuracy", at_least=at_least))


def test_a_threshold_is_passed_failed_or_left_open_as_the_exact_test_says() -> None:
    # SciPy 1.17.1: binom.sf(44, 50, 0.8) = 0.0480, binom.cdf(30, 50, 0.8) = 0.00093.
    good, middling, bad = accuracy(45, 50), accuracy(44, 50), accuracy(30, 50)
    assert good.verdict is Verdict.PASS
    assert good.p_value == pytest.approx(0.04803, abs=1e-5)
    assert middling.verdict is Verdict.INCONCLUSIVE
    assert bad.verdict is Verdict.FAIL
    assert bad.p_violated == pytest.approx(0.000932, abs=1e-6)


@pytest.mark.parametrize("passed", range(0, 51, 5))
def test_the_verdict_agrees_with_the_interval_shown(passed: int) -> None:
    found = accuracy(passed, 50)
    assert found.low is not None
    assert found.high is not None
    assert (found.verdict is Verdict.PASS) == (found.low >= 0.8)
    assert (found.verdict is Verdict.FAIL) == (found.high <= 0.8)


def test_few_good_rows_are_inconclusive_and_say_how_many_would_decide() -> None:
    found = accuracy(5, 5)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.rows_that_would_decide == 14  # 0.8^14 < 0.05 < 0.8^13
    assert accuracy(14, 14).verdict is Verdict.PASS


def test_the_number_of_rows_that_would_decide_mostly_does() -> None:
    first = accuracy(88, 100, at_least=0.82)
    assert first.verdict is Verdict.INCONCLUSIVE
    rows = first.rows_that_would_decide
    assert rows is not None
    rng = np.random.default_rng(10)
    again = [accuracy(int(rng.binomial(rows, 0.88)), rows, at_least=0.82).verdict for _ in range(200)]
    assert 0.68 <= again.count(Verdict.PASS) / 200 <= 0.92


@pytest.mark.parametrize("values", [[], [None, None]])
def test_no_rows_never_pass(values: Sequence[float | None]) -> None:
    found = decide(values, None, Rule("accuracy", at_least=0.5))
    assert (found.verdict, found.rows, found.estimate) == (Verdict.INCONCLUSIVE, 0, None)
    assert found.sentence == "accuracy: no rows were measured, so nothing shows that it is at least 0.5"


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_one_row_never_passes(value: float) -> None:
    assert decide([value], None, Rule("quality", at_least=0.1)).verdict is not Verdict.PASS
    assert decide([value], [value], Rule("quality", margin=0.4)).verdict is Verdict.INCONCLUSIVE


def test_identical_answers_need_rows_enough_to_rule_out_the_margin() -> None:
    same = passing(16, 20)
    few, many = (decide(same * times, same * times, Rule("correct", margin=0.05)) for times in (1, 3))
    assert few.verdict is Verdict.INCONCLUSIVE
    assert few.rows_that_would_decide == 59  # 0.95^59 < 0.05
    assert many.verdict is Verdict.PASS


def test_a_worse_candidate_fails_its_margin_on_the_same_rows() -> None:
    candidate, baseline = passing(120, 200), passing(160, 200)
    found = decide(candidate, baseline, Rule("correct", margin=0.05))
    assert found.verdict is Verdict.FAIL
    assert (found.estimate, found.baseline_estimate) == (0.6, 0.8)
    assert found.difference == pytest.approx(-0.2)
    assert found.sentence == "correct 0.6 against 0.8, difference -0.2 [-0.25, -0.158] breaks " + (
        "less than 0.05 below the baseline (200 rows)"
    )


def test_lower_can_be_better() -> None:
    rng = np.random.default_rng(11)
    baseline = rng.gamma(4.0, 50.0, 300)
    slower, same = (baseline + 80.0).tolist(), (baseline + rng.normal(0.0, 5.0, 300)).tolist()
    rule = Rule("latency_ms", margin=20.0, higher_is_better=False)
    assert decide(slower, baseline.tolist(), rule).verdict is Verdict.FAIL
    assert decide(same, baseline.tolist(), rule).verdict is Verdict.PASS
    assert decide(baseline.tolist(), slower, rule).verdict is Verdict.PASS
    assert decide(same, None, Rule("latency_ms", at_most=250.0)).verdict is Verdict.PASS
    assert decide(slower, None, Rule("latency_ms", at_most=250.0)).verdict is Verdict.FAIL


def test_rows_of_one_conversation_count_as_one() -> None:
    candidate = passing(100, 110)
    conversations = [f"conversation-{row // 22}" for row in range(110)]
    rule = Rule("correct", at_least=0.8)
    assert decide(candidate, None, rule).verdict is Verdict.PASS
    clustered = decide(candidate, None, rule, clusters=conversations)
    assert clustered.verdict is Verdict.INCONCLUSIVE
    assert "5 clusters" in clustered.method


def test_a_demand_without_exception_is_judged_on_the_rows_at_hand() -> None:
    clean, leaking = [0.0] * 30, [0.0] * 29 + [1.0]
    none = Rule("pii_leak", at_most=0.0)
    assert decide(clean, None, none).verdict is Verdict.PASS
    assert decide(leaking, None, none).verdict is Verdict.FAIL
    assert decide([], None, none).verdict is Verdict.INCONCLUSIVE
    assert decide(passing(29, 30), None, Rule("valid_json", at_least=1.0)).verdict is Verdict.FAIL


def test_the_rows_that_would_fail_a_rule_take_the_other_rules_into_account() -> None:
    rows: dict[str, Sequence[float | None]] = {"weak": passing(37, 50), "fine": passing(48, 50)}
    alone = decide(rows["weak"], None, Rule("weak", at_least=0.8)).rows_that_would_decide
    beside = decide_all([Rule("weak", at_least=0.8), Rule("fine", at_least=0.5)], rows)[0].rows_that_would_decide
    assert alone is not None
    assert beside is not None
    assert beside > alone > 50


def test_failing_is_adjusted_for_the_number_of_rules_and_passing_is_not() -> None:
    rules = [Rule("weak", at_least=0.8)] + [Rule(f"fine_{number}", at_least=0.5) for number in range(9)]
    rows: dict[str, Sequence[float | None]] = {rule.metric: passing(48, 50) for rule in rules}
    rows["weak"] = passing(34, 50)
    alone = decide(rows["weak"], None, rules[0])
    together = decide_all(rules, rows)
    assert alone.verdict is Verdict.FAIL
    assert together[0].p_violated == pytest.approx(10 * alone.p_violated)
    assert together[0].verdict is Verdict.INCONCLUSIVE
    assert {decision.verdict for decision in together[1:]} == {Verdict.PASS}
    assert [decision.rule for decision in together] == rules


def test_a_candidate_on_the_boundary_rarely_passes_and_rarely_fails() -> None:
    rows, rate = 150, 0.8
    chances = {Verdict.PASS: 0.0, Verdict.FAIL: 0.0, Verdict.INCONCLUSIVE: 0.0}
    for passed in range(90, rows + 1):  # fewer have chance 1e-8
        chance = math.comb(rows, passed) * rate**passed * (1 - rate) ** (rows - passed)
        chances[accuracy(passed, rows, at_least=rate).verdict] += chance
    assert chances[Verdict.PASS] <= 0.05
    assert chances[Verdict.FAIL] <= 0.05
    assert chances[Verdict.INCONCLUSIVE] >= 0.9


def test_a_candidate_worse_by_the_whole_margin_rarely_passes() -> None:
    rng = np.random.default_rng(13)
    rule = Rule("token_f1", margin=0.05)
    passes = 0
    for _ in range(150):
        baseline = rng.beta(4, 2, 60)
        candidate = np.clip(baseline - 0.05 + rng.normal(0, 0.1, 60), -1, 2)
        passes += decide(candidate.tolist(), baseline.tolist(), rule).verdict is Verdict.PASS
    assert passes <= 16  # 7.5 expected at 5 %; 17 or more has chance 0.001


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_no_numbers_are_refused_by_metric(bad: float) -> None:
    with pytest.raises(InvalidInput, match="metric accuracy, candidate row 1"):
        decide([1.0, bad], None, Rule("accuracy", at_least=0.5))
    with pytest.raises(InvalidInput, match="metric accuracy, baseline row 0"):
        decide([1.0, 1.0], [bad, 1.0], Rule("accuracy", margin=0.5))


def test_a_margin_without_a_baseline_is_refused() -> None:
    with pytest.raises(InvalidInput, match="baseline of metric accuracy"):
        decide([1.0], None, Rule("accuracy", margin=0.1))


def test_a_rule_for_an_unmeasured_metric_is_refused_with_those_that_were() -> None:
    with pytest.raises(InvalidInput, match="metric of a rule: is 'acuracy'; wanted one that was measured: accuracy"):
        decide_all([Rule("acuracy", at_least=0.5)], {"accuracy": [1.0]})


@pytest.mark.parametrize("alpha", [0.0, 0.5, math.nan])
def test_an_impossible_alpha_is_refused(alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        decide([1.0], None, Rule("accuracy", at_least=0.5), alpha=alpha)


def test_a_gate_passes_only_when_every_rule_does() -> None:
    good, open_, bad = accuracy(50, 50), accuracy(42, 50), accuracy(10, 50)
    assert overall([good, good]) is Verdict.PASS
    assert overall([good, open_]) is Verdict.INCONCLUSIVE
    assert overall([good, open_, bad]) is Verdict.FAIL
    assert overall([]) is Verdict.PASS


def test_a_gain_has_to_be_shown() -> None:
    baseline, much, little = passing(100, 200), passing(140, 200), passing(106, 200)
    rule = Rule("correct", better_by=0.05)
    assert decide(much, baseline, rule).verdict is Verdict.PASS
    assert decide(little, baseline, rule).verdict is Verdict.INCONCLUSIVE
    assert decide(baseline, much, rule).verdict is Verdict.FAIL
    found = decide(much, baseline, Rule("correct", better_by=0.0))
    assert found.sentence.endswith("meets above the baseline (200 rows)")


def test_a_margin_in_percent_is_one_of_the_baselines_mean() -> None:
    rng = np.random.default_rng(12)
    before = rng.gamma(4.0, 50.0, 400)
    after = before * 1.08 * rng.normal(1.0, 0.02, 400)
    within, beyond = (
        decide(after.tolist(), before.tolist(), Rule("latency", margin_pct=pct, higher_is_better=False))
        for pct in (10.0, 5.0)
    )
    assert (within.verdict, beyond.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert within.boundary == pytest.approx(0.10 * before.mean())
    assert within.low is not None
    assert within.difference is not None
    assert within.low < within.difference < within.boundary


@pytest.mark.parametrize(("candidate", "baseline"), [([-1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0], [0.0, 0.0])])
def test_a_margin_in_percent_needs_something_to_be_a_percentage_of(
    candidate: list[float], baseline: list[float]
) -> None:
    with pytest.raises(InvalidInput, match="baseline above 0 for margin_pct; use margin"):
        decide(candidate, baseline, Rule("gain", margin_pct=5.0))


def test_a_quantile_is_passed_failed_or_left_open() -> None:
    fast, slow = [100.0] * 97 + [3_000.0] * 3, [100.0] * 88 + [3_000.0] * 12
    rule = Rule("latency", quantile=0.95, at_most=2_000.0, higher_is_better=False)
    assert decide(fast * 5, None, rule).verdict is Verdict.PASS
    found = decide(slow, None, rule)
    assert (found.verdict, found.estimate) == (Verdict.FAIL, 3_000.0)
    open_ = decide(fast[:40], None, rule)
    assert (open_.verdict, open_.high) == (Verdict.INCONCLUSIVE, None)
    assert open_.rows_that_would_decide == 59  # 0.95^59 < 0.05
    assert open_.sentence.startswith("p95 of latency 100 [100, open] does not show yet")
    assert decide([5.0] * 100, None, Rule("tokens", quantile=0.1, at_least=5.0)).verdict is Verdict.PASS


def flips(candidate: Sequence[float | None], baseline: Sequence[float | None], **options: object) -> Decision:
    return decide(candidate, baseline, Rule("correct", no_flips=True, **options))  # type: ignore[arg-type]


def test_one_row_that_flips_breaks_the_rule_and_none_meets_it() -> None:
    assert flips([1.0, 0.0, 1.0], [1.0, 0.0, 0.0]).verdict is Verdict.PASS
    broken = flips([0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    assert (broken.verdict, broken.flips, broken.flipped) == (Verdict.FAIL, 1, ("row 1",))
    assert flips([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], most_flips=1).verdict is Verdict.PASS


def test_a_row_that_was_passed_and_now_is_not_measured_may_be_a_flip() -> None:
    assert flips([None, 1.0], [1.0, 1.0]).verdict is Verdict.INCONCLUSIVE
    assert flips([None, 1.0], [0.0, 1.0]).verdict is Verdict.PASS
    assert flips([None, 1.0], [1.0, 1.0], most_flips=1).verdict is Verdict.PASS
    assert flips([None, 0.0], [1.0, 1.0]).verdict is Verdict.FAIL


def test_where_the_baseline_passed_nothing_no_flip_shows_nothing() -> None:
    assert flips([0.0, 1.0], [0.0, 0.0]).verdict is Verdict.INCONCLUSIVE


def test_lower_values_can_be_the_passing_ones() -> None:
    rule = Rule("latency", no_flips=True, pass_at=200.0, higher_is_better=False)
    assert decide([150.0, 250.0], [250.0, 150.0], rule).flips == 1


def test_counting_takes_no_part_in_the_adjustment_for_several_rules() -> None:
    rows: dict[str, Sequence[float | None]] = {"weak": passing(37, 50), "leak": [0.0] * 50}
    alone = decide(rows["weak"], None, Rule("weak", at_least=0.8))
    beside = decide_all([Rule("weak", at_least=0.8), Rule("leak", at_most=0.0)], rows)[0]
    assert beside.p_violated == alone.p_violated


@pytest.mark.parametrize("rows", [20, 50, 125])
def test_more_rows_that_pass_never_make_a_verdict_worse(rows: int) -> None:
    order = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS]
    baseline = passing(rows * 4 // 5, rows)
    beside_zero = [decide(passing(right, rows), baseline, Rule("x", margin=0.05)).verdict for right in range(rows + 1)]
    places = [order.index(verdict) for verdict in beside_zero]
    assert places == sorted(places)


def test_the_interval_agrees_with_the_exact_test() -> None:
    for lower in range(1, 20):
        found = decide(passing(160 - lower, 200), passing(160, 200), Rule("x", margin=0.05))
        assert found.high is not None
        assert (found.verdict is Verdict.FAIL) == (found.high < -0.05)


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_four_rows_or_fewer_decide_nothing(rows: int) -> None:
    rng = np.random.default_rng(rows)
    for rule in (Rule("x", margin=0.05), Rule("x", at_least=0.2), Rule("x", margin=500.0)):
        for scale in (1.0, 1_000.0):
            candidate, baseline = (rng.random(rows) * scale, rng.random(rows) * scale)
            found = decide(candidate.tolist(), baseline.tolist(), rule)
            assert found.verdict is Verdict.INCONCLUSIVE
