from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.adverse import AdverseProcess

shares = st.floats(min_value=0.001, max_value=0.999)
labelled = st.lists(st.tuples(st.booleans(), shares), max_size=60)


def process_of(events: list[tuple[bool, float]]) -> AdverseProcess:
    process = AdverseProcess()
    for number, (candidate, share) in enumerate(events):
        process.observe(f"user-{number}", candidate=candidate, share=share)
    return process


def test_two_failing_candidates_at_ten_percent_give_the_e_value_computed_by_hand() -> None:
    process = process_of([(True, 0.1), (True, 0.1)])
    by_hand = (1.4872 + 2.0408 + 3.3058 + 6.25 + 12.7551 + 27.7008) / 6  # (r / (0.9 + 0.1 r)) squared, per r
    assert math.exp(process.log_e) == pytest.approx(by_hand, rel=1e-4)


def test_evidence_starts_at_one() -> None:
    assert AdverseProcess().log_e == pytest.approx(0.0)


@given(share=shares)
def test_one_more_event_multiplies_the_evidence_by_one_on_average_when_arms_are_equal(share: float) -> None:
    on_candidate, on_stable = process_of([(True, share)]), process_of([(False, share)])
    mean = share * math.exp(on_candidate.log_e) + (1 - share) * math.exp(on_stable.log_e)
    assert mean == pytest.approx(1.0)


@given(share=shares, benefit=st.floats(min_value=0.0, max_value=1.0))
def test_a_better_candidate_never_gains_evidence_on_average(share: float, benefit: float) -> None:
    chance = share * benefit
    mean = chance * math.exp(process_of([(True, share)]).log_e)
    mean += (1 - chance) * math.exp(process_of([(False, share)]).log_e)
    assert mean <= 1.0 + 1e-9


def test_only_the_first_event_of_a_subject_counts() -> None:
    process = AdverseProcess()
    assert process.observe("ann", candidate=True, share=0.1)
    assert not process.observe("ann", candidate=True, share=0.1)
    assert not process.observe("ann", candidate=True, share=0.5)
    assert (process.candidate, process.stable) == (1, 0)


def test_subjects_seen_before_a_restart_stay_seen() -> None:
    seen: set[str] = set()
    before = AdverseProcess(seen)
    before.observe("ann", candidate=True, share=0.1)
    after = AdverseProcess.from_state(before.to_state(), seen)
    assert not after.observe("ann", candidate=True, share=0.1)
    assert after.log_e == before.log_e


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_certain_label_says_nothing(share: float) -> None:
    process = AdverseProcess()
    assert not process.observe("ann", candidate=share == 1.0, share=share)
    assert process.log_e == pytest.approx(0.0)
    assert process.events == 0


def test_an_event_skipped_for_its_certain_label_does_not_use_up_the_subject() -> None:
    process = AdverseProcess()
    process.observe("ann", candidate=False, share=0.0)
    assert process.observe("ann", candidate=True, share=0.1)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan, math.inf])
def test_a_share_outside_zero_to_one_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput, match=r"share: .* wanted a number from 0 to 1"):
        AdverseProcess().observe("ann", candidate=True, share=share)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(InvalidInput, match="failing subjects"):
        AdverseProcess().add(candidate=-1, share=0.1)


@given(events=labelled)
def test_the_state_survives_storage_as_json(events: list[tuple[bool, float]]) -> None:
    process = process_of(events)
    again = AdverseProcess.from_state(json.loads(json.dumps(process.to_state())))
    assert again.to_state() == process.to_state()
    assert again.log_e == process.log_e


@given(events=labelled, candidate=st.booleans(), share=shares)
def test_a_restored_process_goes_on_as_if_it_had_never_stopped(
    events: list[tuple[bool, float]], candidate: bool, share: float
) -> None:
    process = process_of(events)
    again = AdverseProcess.from_state(process.to_state())
    for running in (process, again):
        running.observe("the next one", candidate=candidate, share=share)
    assert again.log_e == process.log_e


@pytest.mark.parametrize("broken", [{}, {"candidate": math.nan}, {"candidate": "3"}])
def test_a_damaged_state_is_refused_by_the_name_of_its_key(broken: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=r"analysis state\.candidate"):
        AdverseProcess.from_state(broken)


@given(events=labelled)
def test_the_order_of_events_does_not_matter(events: list[tuple[bool, float]]) -> None:
    assert process_of(events[::-1]).log_e == pytest.approx(process_of(events).log_e, abs=1e-9)


@given(events=labelled)
def test_a_failing_candidate_raises_the_evidence_and_a_failing_stable_lowers_it(
    events: list[tuple[bool, float]],
) -> None:
    now = process_of(events).log_e
    assert process_of([*events, (True, 0.1)]).log_e > now
    assert process_of([*events, (False, 0.1)]).log_e < now


@settings(max_examples=30)
@given(candidate=st.integers(0, 10**6), stable=st.integers(0, 10**6), share=shares)
def test_a_million_events_stay_finite(candidate: int, stable: int, share: float) -> None:
    process = AdverseProcess()
    process.add(candidate=candidate, stable=stable, share=share)
    assert math.isfinite(process.log_e)
    assert all(math.isfinite(value) for value in process.to_state().values())


def test_counting_one_by_one_and_at_once_agree_over_a_hundred_thousand_events() -> None:
    singly, at_once = AdverseProcess(), AdverseProcess()
    for _ in range(10_000):
        singly.add(candidate=1, stable=9, share=0.1)
    at_once.add(candidate=10_000, stable=90_000, share=0.1)
    assert singly.log_e == pytest.approx(at_once.log_e, rel=1e-9)


def test_the_relative_risk_compares_with_what_routing_explains() -> None:
    process = AdverseProcess()
    process.add(candidate=40, stable=90, share=0.1)
    assert process.relative_risk == pytest.approx(4.0)  # (40 / 13) / (90 / 117)
    process.add(candidate=80, stable=20, share=0.5)
    assert process.relative_risk == pytest.approx((120 / 63) / (110 / 167))


def test_the_relative_risk_is_unknown_until_a_stable_subject_fails() -> None:
    assert process_of([(True, 0.1)]).relative_risk is None
    assert process_of([(False, 0.1)]).relative_risk == 0.0
