from pathlib import Path

import pytest

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.formats import flex, flow_file
from opsloop.flows.models import FlowFormat, FlowInput, ValueType

CODE = '''
from dataclasses import dataclass
from typing import Optional, TypedDict
raise RuntimeError("a flow is read without being run")

DEFAULT = object()

class Result(TypedDict):
    score: float
    why: str

def ask(question: str = "What?", count=3, tags: list[str] = None, rate: Optional[float] = 0.5, other=DEFAULT,
        *, mode: "str | None" = None, data: dict = {}) -> Result:
    """An entry."""

class Base:
    def __call__(self, answer: str, statements: dict, chat_history: list = None):
        pass

class Judge(Base):
    def __init__(self, model_config: AzureOpenAIModelConfiguration, limit: int = 10):
        pass

    def __aggregate__(self, line_results: list) -> dict:
        pass
'''


def written(folder: Path, text: str, code: str = CODE) -> Path:
    (folder / "work.py").write_text(code)
    (folder / "flow.flex.yaml").write_text(text)
    return folder / "flow.flex.yaml"


def test_a_functions_parameters_are_the_inputs(tmp_path: Path) -> None:
    flow = flex.read(written(tmp_path, "entry: work:ask\n"))
    assert flow.format is FlowFormat.FLEX
    assert list(flow.inputs.values()) == [
        FlowInput("question", ValueType.STRING, True, "What?"),
        FlowInput("count", ValueType.INT, True, 3),
        FlowInput("tags", ValueType.LIST, True, None),
        FlowInput("rate", ValueType.DOUBLE, True, 0.5),
        FlowInput("other", ValueType.ANY, True, None, default_in_code=True),
        FlowInput("mode", ValueType.STRING, True, None),
        FlowInput("data", ValueType.OBJECT, True, {}),
    ]
    assert list(flow.outputs) == ["score", "why"]


def test_a_class_is_made_once_and_called_for_each_row(tmp_path: Path) -> None:
    flow = flex.read(written(tmp_path, "entry: work:Judge\n"))
    assert flow.entry is not None
    assert flow.entry.is_class
    assert {name: (each.type, each.has_default) for name, each in flow.entry.init.items()} == {
        "model_config": (ValueType.ANY, False),
        "limit": (ValueType.INT, True),
    }
    assert list(flow.inputs) == ["answer", "statements", "chat_history"]
    assert flow.chat_input == "answer"
    assert [(node.name, node.type, node.aggregation) for node in flow.nodes] == [
        ("Judge", "flex", False),
        ("__aggregate__", "flex_aggregate", True),
    ]


def test_the_file_says_more_of_what_it_names(tmp_path: Path) -> None:
    inputs = "inputs: {count: {type: double, description: how many}}"
    text = f"entry: work:ask\n{inputs}\nsample:\n  inputs: {{question: Why?}}\n"
    flow = flex.read(written(tmp_path, text))
    assert flow.inputs["count"] == FlowInput("count", ValueType.DOUBLE, True, 3, description="how many")
    assert flow.sample.inputs == {"question": "Why?"}


def test_a_sample_may_lie_in_a_file_of_the_flow(tmp_path: Path) -> None:
    (tmp_path / "inputs.json").write_text('{"question": "Why?"}')
    flow = flex.read(written(tmp_path, "entry: work:ask\nsample:\n  inputs: ${file:./inputs.json}\n"))
    assert flow.sample.inputs == {"question": "Why?"}


def test_an_empty_default_is_none_or_an_empty_history(tmp_path: Path) -> None:
    text = "entry: json:dumps\ninputs: {chat_history: {type: list, default: ''}, n: {type: int, default: ''}}\n"
    flow = flex.read(written(tmp_path, text))
    assert (flow.inputs["chat_history"].default, flow.inputs["n"].default) == ([], None)


def test_any_yaml_with_an_entry_is_a_flex_flow(tmp_path: Path) -> None:
    path = written(tmp_path, "entry: work:ask\n").rename(tmp_path / "mine.yaml")
    assert flow_file.read(path).format is FlowFormat.FLEX


def test_an_entry_of_an_installed_package_is_known_when_it_is_loaded(tmp_path: Path) -> None:
    flow = flex.read(written(tmp_path, "entry: json:dumps\ninputs: {obj: {type: object}}\n"))
    assert list(flow.inputs) == ["obj"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: x\n", "entry is None; wanted MODULE:FUNCTION or MODULE:CLASS"),
        ("entry: work.ask\n", "entry is 'work.ask'; wanted MODULE:FUNCTION"),
        ("entry: work:aks\n", "entry is 'work:aks'; wanted a function or class of work.py; did you mean 'ask'"),
        ("entry: work:ask\ncode: gone\n", "code is 'gone'; wanted a folder that is there"),
        ("entry: work:ask\nsample: 3\n", "sample is 3; wanted a mapping"),
        ("entry: work:ask\nsample: {init: [a]}\n", r"sample.init is \['a'\]; wanted a mapping"),
        ("entry: work:ask\nsample: {inputs: '${file:gone.json}'}\n", "sample.inputs is 'gone.json'; wanted a file"),
        ("entry: work:ask\ninputs: [a]\n", r"inputs is \['a'\]; wanted a mapping"),
        ("entry: work:ask\ninputs: {count: {type: int, default: many}}\n", "inputs.count.default is 'many'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(FlowInvalid, match=sentence):
        flex.read(written(tmp_path, text))


def test_python_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(FlowInvalid, match=r"entry is 'work.py'; wanted Python that can be read \(line 2"):
        flex.read(written(tmp_path, "entry: work:ask\n", "x = 1\ndef ask(:\n"))
