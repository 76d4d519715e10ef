from __future__ import annotations

import pytest

from opsloop.core.clock import FakeClock
from opsloop.gateway.errors import Overloaded, OverShare
from opsloop.gateway.places import LATELY_S, Places


def fill(places: Places, caller: str, count: int) -> None:
    for _ in range(count):
        places.check(caller)
        places.take(caller)


def test_one_caller_alone_may_have_every_place() -> None:
    places = Places(8, FakeClock())
    fill(places, "key:a", 8)
    with pytest.raises(Overloaded):
        places.check("key:a")


def test_a_caller_with_its_share_gets_no_more_while_another_asks() -> None:
    places = Places(8, FakeClock())
    fill(places, "key:a", 8)
    with pytest.raises(Overloaded):
        places.check("key:b")
    places.leave("key:a")
    with pytest.raises(OverShare, match="its share of 4 of the 8"):
        places.check("key:a")
    fill(places, "key:b", 1)


def test_who_did_not_ask_lately_has_no_share() -> None:
    clock = FakeClock()
    places = Places(8, clock)
    places.check("key:b")
    fill(places, "key:a", 6)
    with pytest.raises(OverShare):
        places.check("key:a")
    clock.advance(LATELY_S + 1)
    fill(places, "key:a", 1)
