import pytest

from opsloop.flows.compat.model_configurations import AzureOpenAIModelConfiguration, OpenAIModelConfiguration
from opsloop.flows.connections import files
from opsloop.flows.connections.errors import ConnectionInvalid
from opsloop.flows.connections.lookup import Connections
from opsloop.flows.connections.model_servers import configured, server_of
from opsloop.llm.servers import ModelServer, ServerKind

AZURE = {"type": "azure_open_ai", "api_base": "https://a.example", "api_key": "k", "api_version": "2024-02-01"}
AZURE_SERVER = ModelServer("https://a.example", kind=ServerKind.AZURE, api_key="k", api_version="2024-02-01")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "OPENAI_API_VERSION", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_each_kind_of_model_server_is_known() -> None:
    assert server_of(files.parse(AZURE, name="a")) == AZURE_SERVER
    openai = files.parse({"type": "open_ai", "api_key": "k", "organization": "o"}, name="b")
    assert server_of(openai) == ModelServer("https://api.openai.com/v1", api_key="k", organization="o")
    serverless = files.parse({"type": "serverless", "api_base": "https://s.example/v1", "api_key": "k"}, name="c")
    assert server_of(serverless) == ModelServer("https://s.example/v1", api_key="k")


def test_a_connection_to_something_else_is_refused() -> None:
    with pytest.raises(
        ConnectionInvalid, match=r"connection a.type: is 'serp'; wanted a connection of type azure_open_ai"
    ):
        server_of(files.parse({"type": "serp", "api_key": "k"}, name="a"))


def test_azure_without_a_key_needs_a_way_to_sign_in() -> None:
    with pytest.raises(ConnectionInvalid, match="pip install azure-identity"):
        server_of(files.parse({"type": "azure_open_ai", "api_base": "https://a.example"}, name="a"))


def test_a_configuration_names_a_connection_or_says_where_the_model_is() -> None:
    known = Connections({"mine": AZURE})
    assert configured({"type": "azure_openai", "connection": "mine", "azure_deployment": "d"}, known) == (
        AZURE_SERVER,
        "d",
    )
    assert configured(AzureOpenAIModelConfiguration("d", connection="mine"), known) == (AZURE_SERVER, "d")
    direct = {
        "type": "azure_openai",
        "azure_endpoint": "https://a.example",
        "api_key": "k",
        "api_version": "2024-02-01",
    }
    assert configured({**direct, "azure_deployment": "d"}, known) == (AZURE_SERVER, "d")
    server = ModelServer("http://x/v1", api_key="k")
    assert configured(OpenAIModelConfiguration("m", base_url="http://x/v1", api_key="k"), known) == (server, "m")


def test_a_configuration_without_an_address_takes_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured({"type": "azure_openai", "azure_deployment": "d"}, Connections()) == (None, "d")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://a.example")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-02-01")
    assert configured({"type": "azure_openai", "azure_deployment": "d"}, Connections()) == (AZURE_SERVER, "d")
    assert configured({"type": "openai", "model": "m"}, Connections()) == (None, "m")


def test_an_address_without_a_key_takes_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    monkeypatch.setenv("OF_TEST", "https://a.example")
    direct = {"type": "azure_openai", "azure_endpoint": "${ENV:OF_TEST}", "api_version": "2024-02-01"}
    assert configured(direct, Connections()) == (AZURE_SERVER, None)


def test_the_model_can_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_TEST", "gpt-mine")
    wanted = {"type": "azure_openai", "connection": "mine", "azure_deployment": "${env:OF_TEST}"}
    assert configured(wanted, Connections({"mine": AZURE})) == (AZURE_SERVER, "gpt-mine")


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(
        ConnectionInvalid, match=r"model.configuration.api_key is .*; wanted the environment variable OF_TEST"
    ):
        configured({"type": "openai", "api_key": "${env:OF_TEST}"}, Connections())


def test_an_unknown_connection_leaves_the_model_to_the_settings() -> None:
    assert configured({"type": "azure_openai", "connection": "gone", "azure_deployment": "d"}, Connections()) == (
        None,
        "d",
    )
