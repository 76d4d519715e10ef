"""Intervals of shares, against published figures."""

from __future__ import annotations

import pytest

from opsloop.feedback.proportions import difference, net_promoters, wilson


def test_the_score_interval_is_the_published_one() -> None:
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I: 81 of 263, 15 of 148, 0 of 20.
    found = [wilson(81, 263), wilson(15, 148), wilson(0, 20), wilson(1, 29)]
    rounded = [(round(each.low, 4), round(each.high, 4)) for each in found if each]
    assert rounded == [(0.2553, 0.3662), (0.0624, 0.1605), (0.0, 0.1611), (0.0061, 0.1718)]


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert difference(1, 2, 0, 0) is None
    assert net_promoters(0, 0, 0) is None


def test_the_interval_of_a_difference_is_the_published_one() -> None:
    # Newcombe (1998), Interval estimation for the difference between independent proportions, table II, method 10:
    # 56/70 less 48/80, 9/10 less 3/10, 10/10 less 0/10.
    found = [difference(56, 70, 48, 80), difference(9, 10, 3, 10), difference(10, 10, 0, 10)]
    rounded = [(round(each.low, 4), round(each.high, 4)) for each in found if each]
    assert rounded == [(0.0524, 0.3339), (0.1705, 0.8090), (0.6075, 1.0000)]


def test_net_promoters_lie_in_their_interval_and_few_leave_it_wide() -> None:
    few, many = net_promoters(3, 1, 5), net_promoters(300, 100, 500)
    assert few is not None
    assert many is not None
    assert few[0] == many[0] == pytest.approx(40)
    assert few[1] < few[0] < few[2]
    assert few[2] - few[1] > 5 * (many[2] - many[1])
    # By hand: n = 502, (300.5 - 100.5)/502 = 0.3984; variance (401/502 - 0.3984^2)/502; 1.96 standard errors.
    assert many[1] == pytest.approx(39.84 - 196 * ((401 / 502 - 0.3984**2) / 502) ** 0.5, abs=0.02)


def test_everybody_of_one_mind_still_leaves_room() -> None:
    found = net_promoters(4, 0, 4)
    assert found is not None
    assert found[0] == 100
    assert found[1] < 90
