from __future__ import annotations

import pytest

from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput, NotFound


def test_scoring_is_set_shown_and_ended(client: Client) -> None:
    client.endpoints.create("chat")
    client.endpoints.keep_texts("chat", True)
    declared = {"share": 0.5, "evaluators": {"leaks": {"evaluator": "pii_leak", "measure": "privacy"}}}
    found = client.endpoints.score("chat", declared)
    assert (found.share, found.per_hour, found.measures[0].measure) == (0.5, 120, "privacy")
    assert client.endpoints.scoring("chat") == found
    assert client.endpoints.scoring("chat").declared == declared
    with pytest.raises(InvalidInput, match=r"scoring\.evaluators\.x\.evaluator"):
        client.endpoints.score("chat", {"evaluators": {"x": {"evaluator": "rouge_l"}}})
    client.endpoints.score_no_more("chat")
    with pytest.raises(NotFound):
        client.endpoints.scoring("chat")
