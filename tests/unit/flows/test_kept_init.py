"""What a run keeps of the values that its flow's class was made with."""

from __future__ import annotations

import pytest

from opsloop.flows.kept_init import SecretNotKept, refuse_hidden, without_secrets


def test_secrets_are_hidden_wherever_they_stand_and_all_else_is_kept() -> None:
    config = {"azure_endpoint": "https://x", "api_key": "k3y", "connection": "mine", "max_tokens": 5}

    kept = without_secrets({"model_config": config, "limit": 3, "search_key": "s", "api_key": "${env:KEY}"})

    assert kept == {
        "model_config": {**config, "api_key": "***"},
        "limit": 3,
        "search_key": "***",
        "api_key": "${env:KEY}",
    }
    assert without_secrets(None) is None


def test_a_run_that_needs_a_hidden_secret_is_refused() -> None:
    refuse_hidden({"model_config": {"connection": "mine"}, "note": "***"}, "monday")
    refuse_hidden(None, "monday")
    with pytest.raises(SecretNotKept, match=r"init\.model_config\.api_key, which is not kept"):
        refuse_hidden({"model_config": {"api_key": "***"}}, "monday")
