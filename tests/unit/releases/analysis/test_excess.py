from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.evidence import Arm
from opsloop.releases.analysis.excess import STAKES, excess_upper


def test_without_an_event_the_bound_solves_the_equation_written_by_hand() -> None:
    bound = excess_upper(Arm(100), Arm(900), share=0.1, alpha=0.05)
    capital = sum((1 + stake * 0.1 * bound) ** 1000 for stake in STAKES) / len(STAKES)
    assert capital == pytest.approx(20.0, rel=1e-6)
    assert math.log(20) / 100 < bound < 2 * math.log(20) / 100  # at best the rule of three


def test_nobody_served_excludes_nothing() -> None:
    assert excess_upper(Arm(), Arm(), share=0.1, alpha=0.05) == 1.0


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_without_a_second_arm_nothing_is_excluded(share: float) -> None:
    assert excess_upper(Arm(1000), Arm(1000), share=share, alpha=0.05) == 1.0


def test_a_clearly_better_candidate_has_no_excess() -> None:
    assert excess_upper(Arm(5_000, 50), Arm(45_000, 9_000), share=0.1, alpha=0.05) == 0.0


@given(
    subjects=st.integers(1, 10**6), adverse=st.integers(0, 1000), share=st.floats(0.01, 0.99), more=st.integers(1, 1000)
)
def test_quiet_subjects_lower_the_bound_and_failing_ones_raise_it(
    subjects: int, adverse: int, share: float, more: int
) -> None:
    seen, stable = Arm(subjects + adverse, adverse), Arm(subjects, 0)
    bound = excess_upper(seen, stable, share=share, alpha=0.05)
    assert 0.0 <= bound <= 1.0
    assert excess_upper(Arm(seen.subjects + more, adverse), stable, share=share, alpha=0.05) <= bound
    assert excess_upper(Arm(seen.subjects, seen.subjects), stable, share=share, alpha=0.05) >= bound


def ever_missed(rng: np.random.Generator, *, base: float, excess: float, share: float, subjects: int) -> bool:
    """Whether the bound, read ten times on the way, was ever below the true excess."""
    candidate = rng.random(subjects) < share
    adverse = rng.random(subjects) < np.where(candidate, base + excess, base)
    for end in np.linspace(subjects // 10, subjects, 10, dtype=int):
        on_candidate, failing = candidate[:end], adverse[:end]
        served = int(on_candidate.sum())
        failed = int((on_candidate & failing).sum())
        stable = Arm(int(end) - served, int(failing.sum()) - failed)
        if excess_upper(Arm(served, failed), stable, share=share, alpha=0.05) < excess:
            return True
    return False


@pytest.mark.parametrize(("base", "excess"), [(0.0, 0.05), (0.01, 0.05), (0.10, 0.10)])
def test_the_bound_covers_the_true_excess_at_every_look(base: float, excess: float) -> None:
    rng = np.random.default_rng(31)
    missed = sum(ever_missed(rng, base=base, excess=excess, share=0.1, subjects=3_000) for _ in range(200))
    assert missed <= 20  # 10 expected at most; 21 or more has chance 0.001


@pytest.mark.parametrize(
    ("candidate", "share", "alpha", "field"),
    [
        (Arm(5, 6), 0.1, 0.05, "candidate subjects"),
        (Arm(5, 1), 1.2, 0.05, "share"),
        (Arm(5, 1), 0.1, 0.0, "alpha"),
        (Arm(5, 1), 0.1, math.nan, "alpha"),
    ],
)
def test_bad_input_is_refused_by_name(candidate: Arm, share: float, alpha: float, field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        excess_upper(candidate, Arm(9, 0), share=share, alpha=alpha)
