from __future__ import annotations

from opsloop.incidents.causes.ways import blamed


def test_a_way_that_is_slow_alone_is_its_callees() -> None:
    assert blamed({("shop", "cart"): 9.0}, []) == {("shop", "cart"): "cart"}
    assert blamed({("shop", "cart"): 9.0}, [("shop", "ads")]) == {("shop", "cart"): "cart"}


def test_a_callee_that_one_of_two_callers_reaches_in_time_is_not_blamed_for_the_others_only_way() -> None:
    assert blamed({("shop", "cart"): 9.0}, [("admin", "cart")]) == {("shop", "cart"): "shop"}


def test_several_slow_ways_have_the_end_that_they_share() -> None:
    slow = {("shop", "cart"): 9.0, ("shop", "ads"): 5.0, ("shop", "stock"): 5.0}
    assert set(blamed(slow, [("cart", "store")]).values()) == {"shop"}
    assert set(blamed({("shop", "cart"): 9.0, ("admin", "cart"): 5.0}, [("shop", "ads")]).values()) == {"cart"}


def test_two_ways_without_a_common_end_have_two_causes() -> None:
    slow = {("shop", "cart"): 9.0, ("mail", "queue"): 5.0}
    assert blamed(slow, []) == {("shop", "cart"): "cart", ("mail", "queue"): "queue"}
