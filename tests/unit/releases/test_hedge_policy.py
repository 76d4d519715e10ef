from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.llm.hedging import HedgePolicy
from opsloop.releases import hedge_policy


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({}, None),
        ({"hedge": {}}, HedgePolicy(None, 0.05)),
        ({"hedge": {"after_ms": "p95", "max_share": 0.1}}, HedgePolicy(None, 0.1)),
        ({"hedge": {"after_ms": 250}}, HedgePolicy(0.25, 0.05)),
    ],
)
def test_a_release_says_when_a_call_is_asked_twice(config: dict[str, Any], wanted: HedgePolicy | None) -> None:
    assert hedge_policy.of_config(config) == wanted


@pytest.mark.parametrize(
    ("hedge", "field"),
    [
        (True, "config.hedge"),
        ({"after": 3}, "config.hedge.after"),
        ({"after_ms": "p99"}, "config.hedge.after_ms"),
        ({"after_ms": 0}, "config.hedge.after_ms"),
        ({"after_ms": True}, "config.hedge.after_ms"),
        ({"after_ms": float("nan")}, "config.hedge.after_ms"),
        ({"max_share": 0}, "config.hedge.max_share"),
        ({"max_share": 0.9}, "config.hedge.max_share"),
    ],
)
def test_what_is_no_hedge_is_refused_by_its_place(hedge: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        hedge_policy.of_config({"hedge": hedge})
    assert caught.value.facts["field"] == field
