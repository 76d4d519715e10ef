"""A sentence encoder small enough for tests: one vector per word, as `model.onnx` and `tokenizer.json` in a folder."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

DIMENSIONS = 16
WORDS = [
    "[UNK]",
    "a",
    "and",
    "at",
    "bark",
    "bicycle",
    "canteen",
    "cats",
    "dogs",
    "first",
    "floor",
    "gate",
    "hour",
    "is",
    "kitchen",
    "laptop",
    "lost",
    "must",
    "noon",
    "on",
    "opens",
    "purr",
    "report",
    "sleep",
    "sofa",
    "the",
    "when",
    "who",
    "within",
]


def write_encoder(folder: Path, *, seed: int = 0, inputs: tuple[str, ...] = ("input_ids", "attention_mask")) -> Path:
    """The folder, with an encoder in it; another seed is another space."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [np.random.default_rng(zlib.crc32(f"{word}{seed}".encode())).standard_normal(DIMENSIONS) for word in WORDS]
    table = numpy_helper.from_array(np.array(rows, dtype=np.float32), "words")
    gather = helper.make_node("Gather", ["words", "input_ids"], ["hidden"])
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs]
    out = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["texts", "tokens", DIMENSIONS])
    graph = helper.make_graph([gather], "encoder", given, [out], [table])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "model.onnx"
    )
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
