"""Reading `flow.dag.yaml`: what is tolerated, and what errors name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsloop.flows.errors import FlowInvalid, FlowMissing
from opsloop.flows.formats import dag
from opsloop.flows.models import Activate, Literal, Reference, ValueType

WriteFlow = Callable[..., Path]

GOOD = """
$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Flow.schema.json
inputs:
  question: {type: string, is_chat_input: true}
  chat_history: {type: list}
  k: {type: int, default: "3"}
outputs:
  answer: {type: string, reference: "${answer.output.text}", is_chat_output: true}
nodes:
- name: search
  type: python
  source: {type: code, path: search.py}
  inputs: {question: "${flow.question}", k: "${inputs.k}", mode: fast}
- name: answer
  use_variants: true
node_variants:
  answer:
    default_variant_id: short
    variants:
      short:
        node: {type: llm, source: {type: code, path: short.jinja2}, connection: open_ai, api: chat,
               inputs: {hits: "${search.output}", temperature: ''}}
      long:
        node: {type: llm, source: {type: code, path: long.jinja2}, inputs: {hits: "${search.output}"},
               activate: {when: "${inputs.k}", is: 3}}
environment: {python_requirements_txt: requirements.txt}
surprise: 1
"""


def test_every_part_of_a_flow_is_read(write_flow: WriteFlow) -> None:
    flow = dag.read(write_flow(GOOD, folder="support-chat"))
    assert (flow.name, flow.chat_input, flow.chat_history, flow.chat_output) == (
        "support-chat",
        "question",
        "chat_history",
        "answer",
    )
    assert (flow.inputs["k"].type, flow.inputs["k"].default) == (ValueType.INT, 3)
    assert flow.inputs["chat_history"].default == []
    assert flow.node("search").inputs == {
        "question": Reference(None, "question"),
        "k": Reference(None, "k"),
        "mode": Literal("fast"),
    }
    assert flow.node("answer").source.path == "short.jinja2"
    assert flow.python_requirements == "requirements.txt"
    assert flow.warnings == ("flow.dag.yaml: surprise is not known here",)


def test_another_variant_can_be_chosen(write_flow: WriteFlow) -> None:
    flow = dag.read(write_flow(GOOD), variants={"answer": "long"})
    assert flow.node("answer").source.path == "long.jinja2"
    assert flow.node("answer").activate == Activate(Reference(None, "k"), 3)
    assert flow.chosen_variants == {"answer": "long"}


def test_the_file_itself_can_be_named(write_flow: WriteFlow) -> None:
    assert dag.read(write_flow(GOOD) / "flow.dag.yaml").name == "demo"


def test_a_folder_without_a_flow_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlowMissing, match=str(tmp_path)):
        dag.read(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("${flow.question}", "${flow.quesion}", r"nodes\[0\].inputs.question is '\${inputs.quesion}'.*did you mean"),
        ("${inputs.k}", "${serch.output}", r"nodes\[0\].inputs.k is .*did you mean '\${search.output}'"),
        ("${answer.output.text}", "${anser.output}", r"outputs.answer.reference is .*did you mean '\${answer.output}'"),
        ("${answer.output.text}", "${answer.result}", r"outputs.answer.reference is .*wanted \${inputs.NAME}"),
        ("type: list", "type: lst", r"inputs.chat_history.type is 'lst'; .*did you mean 'list'"),
        ('default: "3"', "default: three", r"inputs.k.default is 'three'; wanted a whole number"),
        ("name: search", "name: 5", r"nodes\[0\].name is 5; wanted the node's name"),
        ("name: search", "name: answer", r"nodes\[1\].name is 'answer'; wanted a name that no other node has"),
        ("type: code, path: search.py", "type: cod", r"nodes\[0\].source.type is 'cod'; .*did you mean 'code'"),
        (
            "default_variant_id: short",
            "default_variant_id: shrt",
            r"default_variant_id is 'shrt'.*did you mean 'short'",
        ),
        ("is: 3", "iss: 3", r"variants.long.node.activate is .*wanted the keys 'when' and 'is'"),
        ("inputs: {question", "inputs: [question", r"line \d+, column \d+: wanted valid YAML"),
    ],
)
def test_errors_name_file_place_value_and_nearest_name(
    write_flow: WriteFlow, old: str, new: str, sentence: str
) -> None:
    assert old in GOOD
    with pytest.raises(FlowInvalid, match=rf"^flow.dag.yaml: .*{sentence}"):
        dag.read(write_flow(GOOD.replace(old, new, 1)))


@pytest.mark.parametrize("choice", [{"answer": "shrt"}, {"anser": "short"}])
def test_a_variant_that_is_not_there_is_named(write_flow: WriteFlow, choice: dict[str, str]) -> None:
    with pytest.raises(FlowInvalid, match="did you mean"):
        dag.read(write_flow(GOOD), variants=choice)


def test_an_empty_file_says_what_is_wanted(write_flow: WriteFlow) -> None:
    with pytest.raises(FlowInvalid, match="a list of at least one node"):
        dag.read(write_flow(""))


def test_a_row_node_cannot_wait_for_an_aggregation(write_flow: WriteFlow) -> None:
    flow = """
        nodes:
        - {name: all, type: python, aggregation: true, source: {path: a.py}}
        - {name: one, type: python, source: {path: b.py}, inputs: {x: "${all.output}"}}
    """
    with pytest.raises(FlowInvalid, match="runs only after all rows"):
        dag.read(write_flow(flow))
