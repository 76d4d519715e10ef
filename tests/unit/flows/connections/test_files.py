from pathlib import Path

import pytest

from opsloop.flows.connections import files
from opsloop.flows.connections.errors import ConnectionInvalid
from opsloop.flows.connections.kinds import KINDS, kind_of

AZURE = """$schema: https://azuremlschemas.azureedge.net/promptflow/latest/AzureOpenAIConnection.schema.json
name: open_ai_connection
type: azure_open_ai
api_key: "<user-input>"
api_base: "https://mine.openai.azure.com/"
api_type: azure
"""


def written(folder: Path, text: str) -> Path:
    (folder / "connection.yml").write_text(text)
    return folder / "connection.yml"


def test_a_file_of_prompt_flow_is_a_connection_once_its_blanks_are_filled(tmp_path: Path) -> None:
    found = files.read_one(written(tmp_path, AZURE), overrides={"api_key": "k3y"})
    assert (found.name, found.kind.name) == ("open_ai_connection", "azure_open_ai")
    assert found.configs["api_base"] == "https://mine.openai.azure.com/"
    assert found.secrets == {"api_key": "k3y"}
    assert "k3y" not in repr(found)
    assert found.shown()["api_key"] == "***"


def test_a_blank_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConnectionInvalid, match=r"connection.yml.api_key is '<user-input>'; wanted a value in its place"
    ):
        files.read_one(written(tmp_path, AZURE))


def test_a_custom_connection_holds_any_names(tmp_path: Path) -> None:
    text = "name: mine\ntype: custom\nconfigs: {url: http://x, n: 3}\nsecrets: {key: to-do}\n"
    found = files.read_one(written(tmp_path, text), overrides={"key": "s3cret", "configs.more": "1"})
    assert (dict(found.configs), dict(found.secrets)) == ({"url": "http://x", "n": "3", "more": "1"}, {"key": "s3cret"})


def test_a_file_can_hold_many_by_name(tmp_path: Path) -> None:
    found = files.read_many(written(tmp_path, "a: {type: serp, api_key: x}\nb: {secrets: {k: y}}\n"))
    assert {name: each.kind.name for name, each in found.items()} == {"a": "serp", "b": "custom"}


def test_values_are_looked_up_when_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    connection = files.parse({"name": "a", "secrets": {"x": "${env:OF_TEST}", "y": f"${{file:{tmp_path}/secret}}"}})
    with pytest.raises(ConnectionInvalid, match=r"a.x is '\$\{env:OF_TEST\}'; wanted the environment variable OF_TEST"):
        files.looked_up(connection)
    monkeypatch.setenv("OF_TEST", "here")
    assert files.looked_up(connection).secrets == {"x": "here", "y": "from a file"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"type": "serp", "api_key": "x"}, "the connection.name: wanted a name"),
        ({"name": "a", "type": "sarp"}, "type is 'sarp'; wanted one of .*; did you mean 'serp'"),
        ({"name": "a"}, "the connection.type: wanted one of"),
        ({"name": "a", "type": "open_ai"}, "the connection.api_key: wanted a value"),
        ({"name": "a", "type": "open_ai", "api_key": "x", "url": "y"}, "the connection.url: wanted fields of open_ai"),
        ({"name": "a", "type": "custom", "configs": [1]}, "configs: wanted a mapping"),
        ({"name": "a", "type": "custom", "key": "s3cret"}, "the connection.key: wanted 'configs' and 'secrets'"),
        ({"name": "a", "type": "open_ai", "api_key": ["s3cret"]}, "the connection.api_key: wanted text"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_shown(body: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConnectionInvalid, match=sentence) as caught:
        files.parse(body)
    assert "s3cret" not in str(caught.value)


def test_a_type_is_known_by_all_its_spellings() -> None:
    for kind in KINDS:
        assert kind_of(kind.name) is kind_of(kind.label) is kind_of(kind.class_name) is kind
    assert kind_of("nothing") is None


def test_the_blanks_that_a_file_leaves_are_known(tmp_path: Path) -> None:
    custom = "name: mine\ntype: custom\nconfigs: {url: https://x}\nsecrets: {a: <user-input>, b: <user-input>}\n"

    assert files.left_open(written(tmp_path, AZURE), ()) == ["api_key"]
    assert files.left_open(written(tmp_path, AZURE), ["api_key"]) == []
    assert files.left_open(written(tmp_path, custom), ["b"]) == ["secrets.a"]


def test_a_file_of_variables_is_a_custom_connection(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# of a team\nexport KEY='k3y'\nURL=https://x\n\n")

    found = files.read_env(tmp_path / ".env", "mine")

    assert (found.name, found.kind.name, found.secrets) == ("mine", "custom", {"KEY": "k3y", "URL": "https://x"})
    with pytest.raises(ConnectionInvalid, match="a name"):
        files.read_env(tmp_path / ".env", None)
    with pytest.raises(ConnectionInvalid, match="can be read"):
        files.read_env(tmp_path / "no.env", "mine")


def test_values_of_a_connection_are_changed_and_the_others_stay() -> None:
    custom = files.parse({"name": "mine", "configs": {"url": "a"}, "secrets": {"key": "k"}})

    assert files.changed(custom, {"secrets.key": "new", "configs.more": "b"}).values == {
        "url": "a",
        "more": "b",
        "key": "new",
    }
    with pytest.raises(ConnectionInvalid, match=r"colour"):
        files.changed(files.parse({"name": "m", "type": "open_ai", "api_key": "k"}), {"colour": "red"})
