from pathlib import Path

import pytest

from opsloop.flows.errors import FlowInvalid, FlowMissing
from opsloop.flows.formats import flow_file, prompty
from opsloop.flows.models import FlowFormat, ValueType

HEAD = """---
name: Basic Prompt
model:
  api: chat
  configuration:
    type: azure_openai
    azure_deployment: gpt-4o
    api_version: 2024-02-01
  parameters:
    max_tokens: 128
    tools: ${file:tools.json}
inputs:
  question:
    type: string
  count:
    type: int
    default: 3
  chat_history:
    type: list
sample: ${file:sample.json}
---
system:
Be brief.
---
user:
{{question}}
"""


def written(folder: Path, text: str = HEAD, name: str = "chat.prompty") -> Path:
    (folder / "tools.json").write_text('[{"type": "function"}]')
    (folder / "sample.json").write_text('{"question": "Why?"}')
    (folder / name).write_text(text)
    return folder / name


def test_a_prompty_is_a_flow_with_one_node(tmp_path: Path) -> None:
    flow = prompty.read(written(tmp_path))
    assert (flow.name, flow.format, flow.file) == ("Basic Prompt", FlowFormat.PROMPTY, "chat.prompty")
    assert [(node.name, node.type) for node in flow.nodes] == [("chat", "prompty")]
    assert {name: each.type for name, each in flow.inputs.items()} == {
        "question": ValueType.STRING,
        "count": ValueType.INT,
        "chat_history": ValueType.LIST,
    }
    assert (flow.chat_input, flow.chat_history, flow.chat_output) == ("question", "chat_history", "output")
    assert flow.inputs["count"].default == 3


def test_its_files_and_dates_are_read(tmp_path: Path) -> None:
    flow = prompty.read(written(tmp_path))
    assert flow.prompty is not None
    assert flow.prompty.model.parameters == {"max_tokens": 128, "tools": [{"type": "function"}]}
    assert flow.prompty.model.configuration["api_version"] == "2024-02-01"
    assert flow.sample.inputs == {"question": "Why?"}


@pytest.mark.parametrize(("name", "inputs"), [("sample.json", {"question": "Why?"}), ("gone.json", {})])
def test_a_sample_may_be_the_bare_name_of_a_file(tmp_path: Path, name: str, inputs: dict[str, str]) -> None:
    flow = prompty.read(written(tmp_path, f"---\nsample: {name}\n---\n{{{{question}}}}"))
    assert flow.sample.inputs == inputs


def test_lines_of_dashes_in_the_prompt_stay_there(tmp_path: Path) -> None:
    flow = prompty.read(written(tmp_path))
    assert flow.prompty is not None
    assert flow.prompty.template == "system:\nBe brief.\n---\nuser:\n{{question}}\n"


def test_without_inputs_those_of_the_sample_are_taken(tmp_path: Path) -> None:
    flow = prompty.read(written(tmp_path, "---\nsample:\n  question: What?\n  n: 2\n---\n{{question}}"))
    assert {name: each.type for name, each in flow.inputs.items()} == {
        "question": ValueType.STRING,
        "n": ValueType.INT,
    }


def test_without_inputs_and_sample_those_of_the_prompt_are_taken(tmp_path: Path) -> None:
    flow = prompty.read(
        written(tmp_path, "---\nname: x\n---\nuser:\n{% for each in lines %}{{each}}{% endfor %}{{end}}")
    )
    assert list(flow.inputs) == ["end", "lines"]


def test_declared_outputs_are_the_keys_of_its_json(tmp_path: Path) -> None:
    flow = prompty.read(written(tmp_path, "---\noutputs:\n  a: {type: string}\n  b: {type: int}\n---\nhi"))
    assert [str(each.binding) for each in flow.outputs.values()] == ["${chat.output.a}", "${chat.output.b}"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no head", "wanted a YAML head between two lines of ---"),
        ("---\nmodel: [1]\n---\nhi", r"model is \[1\]; wanted a mapping"),
        ("---\nmodel: {api: voice}\n---\nhi", "model.api is 'voice'; wanted one of chat, completion"),
        ("---\nmodel: {response: last}\n---\nhi", "model.response is 'last'; wanted first or all"),
        ("---\nmodel: {parameters: 3}\n---\nhi", "model.parameters is 3; wanted a mapping"),
        ("---\nsample: ${file:gone.json}\n---\nhi", "sample is 'gone.json'; wanted a file that is there"),
        ("---\nsample: ${file:../x.json}\n---\nhi", "in the flow's folder"),
        ("---\nsample: hello\n---\nhi", "sample is 'hello'; wanted a mapping of inputs"),
        ("---\na: [\n---\nhi", "valid YAML"),
        ("---\nname: x\n---\n{{", "wanted Jinja that can be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(FlowInvalid, match=sentence):
        prompty.read(written(tmp_path, text))


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "chat.prompty").write_bytes(b"---\nname: x\n---\n\xff")
    with pytest.raises(FlowInvalid, match="byte 16: wanted UTF-8 text"):
        prompty.read(tmp_path / "chat.prompty")


def test_a_folder_with_one_prompty_is_that_flow(tmp_path: Path) -> None:
    written(tmp_path)
    assert flow_file.read(tmp_path).name == "Basic Prompt"
    written(tmp_path, name="other.prompty")
    with pytest.raises(FlowInvalid, match=r"the path of one prompty in it \(chat.prompty, other.prompty\)"):
        flow_file.read(tmp_path)
    assert flow_file.read(tmp_path / "other.prompty").file == "other.prompty"


@pytest.mark.parametrize("name", ["../x.prompty", "/etc/passwd", "gone.prompty", "", "a\0b"])
def test_a_pointer_leads_to_a_file_beside_it_only(tmp_path: Path, name: str) -> None:
    (tmp_path / flow_file.POINTER).write_text(name)
    with pytest.raises(FlowInvalid, match="wanted the name of a file beside it"):
        flow_file.find(tmp_path)


def test_a_folder_without_a_flow_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(FlowMissing, match=r"flow.dag.yaml, flow.flex.yaml or one .prompty"):
        flow_file.read(tmp_path)


def test_a_prompty_has_no_variants(tmp_path: Path) -> None:
    with pytest.raises(FlowInvalid, match=r"variant is 'a.b'; wanted a DAG flow"):
        flow_file.read(written(tmp_path), variants={"a": "b"})
