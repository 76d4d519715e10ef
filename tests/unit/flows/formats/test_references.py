from dataclasses import dataclass

import pytest

from opsloop.flows.formats.references import NotAReference, StepMissing, bind, follow
from opsloop.flows.models import Literal, Reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("${inputs.question}", Reference(None, "question")),
        ("${flow.question}", Reference(None, "question")),
        ("${ inputs.question }", Reference(None, "question")),
        ("${retrieve}", Reference("retrieve", "output")),
        ("${retrieve.output}", Reference("retrieve", "output")),
        ("${retrieve.output.hits[0].text}", Reference("retrieve", "output", ("hits", 0, "text"))),
        ("${retrieve.output[2]}", Reference("retrieve", "output", (2,))),
        ("${retrieve.output['a key']}", Reference("retrieve", "output", ("a key",))),
        ("${node-1.output.x}", Reference("node-1", "output", ("x",))),
    ],
)
def test_references_are_read(text: str, reference: Reference) -> None:
    assert bind(text) == reference


@pytest.mark.parametrize(
    "value", ["plain", "$5", "a ${inputs.x} inside", "", 3, None, ["${inputs.x}"], "${a} and ${b}"]
)
def test_other_values_are_literals(value: object) -> None:
    assert bind(value) == Literal(value)


@pytest.mark.parametrize("text", ["${}", "${inputs}", "${inputs.}", "${node.result}", "${a.output[}", "${.x}"])
def test_malformed_references_are_refused(text: str) -> None:
    with pytest.raises(NotAReference):
        bind(text)


def test_a_reference_prints_as_it_is_written() -> None:
    for text in ("${inputs.question}", "${retrieve.output.hits[0].text}", "${retrieve.output}"):
        assert str(bind(text)) == text


@dataclass
class Hit:
    text: str


def test_follow_reads_keys_indexes_and_attributes() -> None:
    assert follow({"hits": [Hit("a"), Hit("b")]}, ("hits", -1, "text")) == "b"


def test_follow_names_what_is_there_when_a_step_is_missing() -> None:
    with pytest.raises(StepMissing) as caught:
        follow({"context": 1, "score": 2}, ("contxt",))
    assert (caught.value.step, caught.value.known) == ("contxt", ["context", "score"])


@pytest.mark.parametrize("step", ["__class__", "_secret", "__dict__"])
def test_follow_never_reaches_an_objects_machinery(step: str) -> None:
    with pytest.raises(StepMissing):
        follow(Hit("a"), (step,))


def test_an_index_past_the_end_is_missing() -> None:
    with pytest.raises(StepMissing):
        follow([1, 2], (2,))
