from __future__ import annotations

import pytest
from onnx import NodeProto, TensorProto, helper

from opsloop.models import onnx_file, runtime
from opsloop.models.errors import ModelFileBroken
from tests.unit.models import made


def model_of(*nodes: NodeProto, weights: TensorProto | None = None) -> bytes:
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])]
    outputs = [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(list(nodes), "g", inputs, outputs, initializer=[weights] if weights else [])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    written: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return written


def elsewhere(location: str = "/etc/passwd") -> TensorProto:
    tensor = TensorProto(name="W", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def test_weights_in_another_file_are_refused_wherever_they_stand() -> None:
    with pytest.raises(ModelFileBroken, match="weights in other files; wanted one file"):
        runtime.session_of(model_of(helper.make_node("Add", ["X", "W"], ["Y"]), weights=elsewhere()))
    constant = helper.make_node("Constant", [], ["W"], value=elsewhere())
    with pytest.raises(ModelFileBroken, match="weights in other files"):
        runtime.session_of(model_of(constant, helper.make_node("Add", ["X", "W"], ["Y"])))


def test_the_word_location_alone_is_no_fault() -> None:
    runtime.session_of(model_of(helper.make_node("Identity", ["X"], ["Y"], name="location")))


def test_operators_that_nobody_knows_are_refused_in_a_sentence() -> None:
    with pytest.raises(ModelFileBroken, match=r"ONNX Runtime does not load it: .*Mystery"):
        runtime.session_of(model_of(helper.make_node("Mystery", ["X"], ["Y"], domain="mine")))


def test_a_file_that_is_far_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 100)
    with pytest.raises(ModelFileBroken, match="wanted at most 100"):
        runtime.session_of(made.iris_candidate().files["model.onnx"])


@pytest.mark.parametrize("data", [b"location\xff\xff", b"\x3a\xff\x01location", b"\x80" * 30 + b"location"])
def test_what_only_holds_the_word_is_no_onnx_file(data: bytes) -> None:
    with pytest.raises(ModelFileBroken, match="no ONNX file"):
        onnx_file.check(data)


def test_deep_nesting_ends_in_a_sentence() -> None:
    data = b"location"
    for _ in range(60):  # graph 7 of a model; below: node 1, attribute 5, graph 6
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            data = tag + _length(len(data)) + data
    data = b"\x3a" + _length(len(data)) + data
    with pytest.raises(ModelFileBroken, match="no ONNX file"):
        onnx_file.check(data)


def _length(value: int) -> bytes:
    found = b""
    while value >= 0x80:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])
