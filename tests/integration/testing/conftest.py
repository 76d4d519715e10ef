"""A model server, and the official client on it."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from opsloop.testing.model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as started:
        yield started


@pytest.fixture
def client(server: ModelServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def azure(server: ModelServer) -> Iterator[openai.AzureOpenAI]:
    with openai.AzureOpenAI(
        azure_endpoint=server.azure_endpoint, api_key="any", api_version="2024-06-01", max_retries=0, timeout=30
    ) as client:
        yield client
