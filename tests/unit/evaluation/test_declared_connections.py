"""Connections and variables of an experiment, with secrets as placeholders alone."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.declared_connections import connection, environment_variables
from opsloop.evaluation.errors import ExperimentInvalid

AOAI = {
    "name": "aoai",
    "connection_type": "AzureOpenAIConnection",
    "api_base": "https://models.example/",
    "api_version": "2023-07-01-preview",
    "api_key": "${api_key}",
    "api_type": "azure",
}


def test_a_placeholder_is_the_variable_of_the_connection() -> None:
    name, body = connection(AOAI, "connections[0]")
    assert name == "aoai"
    assert body["type"] == "azure_open_ai"
    assert body["api_key"] == "${env:AOAI_API_KEY}"
    assert body["api_base"] == "https://models.example/"


def test_a_custom_connection_has_configs_and_secrets() -> None:
    written = {"name": "mine", "connection_type": "CustomConnection", "configs": {"url": "u"}, "secrets": {"k": "${k}"}}
    assert connection(written, "connections[0]")[1] == {
        "type": "custom",
        "configs": {"url": "u"},
        "secrets": {"k": "${env:MINE_K}"},
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"api_key": "sk-1234567890"}, r"connections\[0\]\.api_key: wanted \$\{api_key\}.*as AOAI_API_KEY"),
        ({"connection_type": "AzureOpenAI2"}, "AzureOpenAIConnection"),
        ({"api_bsae": "x"}, "api_base"),
        ({"name": None}, "name"),
    ],
)
def test_a_wrong_connection_is_refused_and_a_secret_never_shown(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ExperimentInvalid, match=expected) as caught:
        connection({**AOAI, **changes}, "connections[0]")
    assert "1234567890" not in caught.value.sentence


def test_variables_are_text_or_another_variable() -> None:
    written = {"azure_openai_api_key": "${AZURE_OPENAI_API_KEY}", "MAX_COMPLETION_TOKENS": 256, "VERBOSE": False}
    assert environment_variables(written, "environment_variables") == {
        "AZURE_OPENAI_API_KEY": "${AZURE_OPENAI_API_KEY}",
        "MAX_COMPLETION_TOKENS": "256",
        "VERBOSE": "false",
    }


def test_a_secret_variable_in_the_file_is_refused() -> None:
    with pytest.raises(ExperimentInvalid, match="in the environment as OPENAI_API_KEY") as caught:
        environment_variables({"OPENAI_API_KEY": "sk-1234567890"}, "environment_variables")
    assert "1234567890" not in caught.value.sentence
