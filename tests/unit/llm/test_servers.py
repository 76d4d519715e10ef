import asyncio
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.core.settings import CoreSettings
from opsloop.llm import settings as model_settings
from opsloop.llm.offline import OfflineEngine
from opsloop.llm.providers import chat_provider, provider_for
from opsloop.llm.recording import Mode
from opsloop.llm.servers import ModelServer, Operation, ServerKind
from opsloop.llm.settings import ModelSettings

AZURE = "https://mine.openai.azure.com"


@pytest.mark.parametrize("base", ["https://api.openai.com/v1", "https://api.openai.com/v1/"])
def test_an_openai_server_is_asked_below_its_base(base: str) -> None:
    server = ModelServer(base)
    assert [server.url(each, "gpt") for each in Operation] == [
        "https://api.openai.com/v1/chat/completions",
        "https://api.openai.com/v1/completions",
        "https://api.openai.com/v1/embeddings",
    ]


@pytest.mark.parametrize("base", [AZURE, f"{AZURE}/", f"{AZURE}/openai", f"{AZURE}/openai/"])
def test_an_azure_server_is_asked_below_its_deployment(base: str) -> None:
    server = ModelServer(base, kind=ServerKind.AZURE, api_version="2024-02-01")
    wanted = f"{AZURE}/openai/deployments/my%20gpt/chat/completions?api-version=2024-02-01"
    assert server.url(Operation.CHAT, "my gpt") == wanted


def test_azures_newer_address_is_asked_as_openais() -> None:
    server = ModelServer(f"{AZURE}/openai/v1/", kind=ServerKind.AZURE, api_key="k")
    assert server.url(Operation.EMBED, "gpt") == f"{AZURE}/openai/v1/embeddings"
    assert server.request_headers() == {"api-key": "k"}


def test_a_query_of_the_address_is_kept() -> None:
    server = ModelServer("https://models.test/v1?api-version=2024-05-01-preview")
    assert server.url(Operation.CHAT, "m") == "https://models.test/v1/chat/completions?api-version=2024-05-01-preview"


@pytest.mark.parametrize(
    ("server", "headers"),
    [
        (ModelServer("http://m/v1"), {}),
        (ModelServer("http://m/v1", api_key="k", organization="o"), {"authorization": "Bearer k"}),
        (ModelServer("http://m", kind=ServerKind.AZURE, api_key="k"), {"api-key": "k"}),
        (ModelServer("http://m", kind=ServerKind.AZURE, token=lambda: "t"), {"authorization": "Bearer t"}),
        (ModelServer("http://ann:p%40ss@m/v1"), {"authorization": "Basic YW5uOnBAc3M="}),
        (ModelServer("http://m/v1", api_key="k", headers={"Authorization": "Mine"}), {"authorization": "Mine"}),
    ],
)
def test_who_asks_is_said_as_the_server_wants_it(server: ModelServer, headers: dict[str, str]) -> None:
    organization = {"openai-organization": "o"} if server.organization else {}
    assert server.request_headers() == headers | organization


def test_no_secret_is_in_what_is_shown_of_a_server() -> None:
    server = ModelServer(
        "https://ann:secret1@models.test/v1?sig=secret2",
        api_key="secret3",
        headers={"x-key": "secret4"},
        token=lambda: "secret5",
    )
    for shown in (repr(server), str(server), server.address, repr(provider_for(server))):
        assert "secret" not in shown
        assert "models.test/v1" in shown


@pytest.mark.parametrize("base", ["", "api.openai.com/v1", "ftp://x/v1", "http://", "http://x:port/v1"])
def test_what_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(InvalidInput, match="wanted an address such as"):
        ModelServer(base)


def test_an_equal_server_has_one_provider() -> None:
    facts: dict[str, Any] = {"api_key": "k", "headers": {"x-team": "a"}}
    first = provider_for(ModelServer("http://m/v1", **facts), model="a")
    assert provider_for(ModelServer("http://m/v1", **facts), model="a") is first
    assert provider_for(ModelServer("http://m/v1", **facts), model="b") is not first
    assert provider_for(ModelServer("http://m/v1", api_key="other"), model="a") is not first


def test_settings_can_name_a_deployment_of_azure() -> None:
    settings = CoreSettings(llm_base_url=AZURE, llm_api_key="k", llm_api_type="azure", llm_model="gpt")
    provider = chat_provider(settings)
    assert repr(provider) == f"OpenAICompatible({AZURE!r}, model='gpt')"
    assert isinstance(chat_provider(CoreSettings()), OfflineEngine)


def test_calls_are_recorded_where_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ModelSettings(llm_recording=tmp_path)
    monkeypatch.setattr(model_settings, "here", lambda: settings)
    messages = [{"role": "user", "content": "Question: who?"}]
    asyncio.run(chat_provider(CoreSettings()).chat(messages))
    settings = ModelSettings(llm_recording=tmp_path, llm_recording_mode=Mode.REPLAY)
    nobody = CoreSettings(llm_base_url="http://127.0.0.1:1/v1")
    replayed = asyncio.run(chat_provider(nobody).chat(messages))
    assert replayed.model == "opsloop-offline-extractive"
    assert (tmp_path / "model-calls.jsonl").exists()
