from __future__ import annotations

from opsloop.flows.results import NO_TOKENS, TokenUse
from opsloop.gateway.tokens import Usage, usage


def test_counted_calls_are_the_usage() -> None:
    assert usage(TokenUse(10, 5, calls=2), asked=["x"], answered="y") == Usage(10, 5, is_estimate=False)


def test_one_estimated_call_makes_the_usage_an_estimate() -> None:
    assert usage(TokenUse(10, 5, calls=2, estimated_calls=1), asked=["abcd"], answered="abcd").is_estimate


def test_one_uncounted_call_makes_the_usage_an_estimate() -> None:
    found = usage(TokenUse(10, 5, calls=2, uncounted_calls=1), asked=["abcd", "ab"], answered="abcdefgh")
    assert found == Usage(3 + (3 + 1) + (3 + 1), 2, is_estimate=True)


def test_an_empty_answer_is_not_free() -> None:
    assert usage(NO_TOKENS, asked=[""], answered="") == Usage(6, 1, is_estimate=True)
