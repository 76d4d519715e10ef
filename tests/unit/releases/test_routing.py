"""Which arm serves a subject."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.releases.errors import NothingReleased
from opsloop.releases.routing import Arm, Route, bucket, choose

STABLE = Arm("stable", "release_1", 1, "flow", "answer@1", "d1", "flows/1", {})
CANDIDATE = Arm("candidate", "release_2", 2, "flow", "answer@2", "d2", "flows/2", {})
SUBJECTS = [f"user-{number}" for number in range(20_000)]


def route(share: float, *, stable: Arm | None = STABLE, candidate: Arm | None = CANDIDATE, salt: str = "salt") -> Route:
    return Route("chat", stable, candidate, share, "rollout_1", salt, shield=True)


def test_a_bucket_is_the_first_53_bits_of_a_hash_of_salt_and_subject() -> None:
    # printf 'salt\0user-1' | sha256sum gives 344dabcf7e5ca002…; that over 2**64
    assert bucket("salt", "user-1") == pytest.approx(0.20431016746293773, abs=1e-12)


def test_the_candidate_serves_its_share_of_subjects() -> None:
    served = sum(choose(route(0.1), subject).name == "candidate" for subject in SUBJECTS)
    # 2,000 expected; the binomial standard deviation is 42.4: four of them on either side
    assert 1_830 <= served <= 2_170


def test_another_rollout_draws_other_subjects() -> None:
    first = {subject for subject in SUBJECTS if choose(route(0.1, salt="a"), subject).name == "candidate"}
    second = {subject for subject in SUBJECTS if choose(route(0.1, salt="b"), subject).name == "candidate"}
    # 10 % of 10 %: 200 expected in both, standard deviation 14
    assert 140 <= len(first & second) <= 260


@given(st.text(), st.text(), st.floats(0, 1), st.floats(0, 1))
def test_who_has_the_candidate_keeps_it_while_the_share_rises(salt: str, subject: str, one: float, two: float) -> None:
    low, high = sorted((one, two))
    if choose(route(low, salt=salt), subject) is CANDIDATE:
        assert choose(route(high, salt=salt), subject) is CANDIDATE


@given(st.text(), st.text())
def test_a_share_of_zero_serves_nobody_and_a_share_of_one_everybody(salt: str, subject: str) -> None:
    assert choose(route(0.0, salt=salt), subject) is STABLE
    assert choose(route(1.0, salt=salt), subject) is CANDIDATE


def test_without_a_candidate_everybody_gets_stable() -> None:
    assert choose(route(0.5, candidate=None), "user-1") is STABLE


def test_an_endpoint_that_serves_nothing_says_how_to_release() -> None:
    with pytest.raises(NothingReleased, match="opsloop release create chat"):
        choose(route(0.0, stable=None, candidate=None), "user-1")
