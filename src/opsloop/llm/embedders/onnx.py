"""A sentence encoder in ONNX Runtime, from a folder of the user's own: nothing is downloaded.

The folder holds `model.onnx` (token ids to hidden states of each token, or to one vector per text) and
`tokenizer.json`. Hidden states are averaged over the tokens of a text and the mean divided by its length, as the models
of sentence-transformers expect. Loads onnxruntime and tokenizers (extra `embeddings`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import ExtraNeeded, InvalidInput, shown
from opsloop.llm.embedders._sparse import Floats

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
# Encoders were trained on short texts; what stands behind so many tokens is not read.
MOST_TOKENS = 256
TEXTS_AT_ONCE = 32
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_BYTES_AT_ONCE = 1 << 20


class OnnxEmbedder:
    """An encoder of a folder. Made by `opened`, which keeps those in use; threads may share it."""

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        """Raises: InvalidInput naming the file that is missing or wrong, ExtraNeeded."""
        self._folder = folder
        self._tokenizer = _tokenizer(folder / TOKENIZER)
        self._session = _session(folder / MODEL, threads)
        self._inputs = [each.name for each in self._session.get_inputs()]
        unknown = sorted(set(self._inputs) - set(_INPUTS))
        if unknown:
            reason = f"its model takes {', '.join(unknown)}; wanted an encoder that takes {', '.join(_INPUTS)}"
            raise InvalidInput(f"the encoder in {folder} cannot be used: {reason}")
        self.identity = f"onnx-{_digest(folder)}"

    def embed(self, texts: Sequence[str]) -> Floats:
        """Texts of like lengths are read together: padding costs as much as words."""
        encoded = [each.ids for each in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda number: len(encoded[number]))
        parts = [self._rows([encoded[number] for number in batch]) for batch in _batches(order)]
        if not parts:
            return np.zeros((0, 0), dtype=np.float32)
        found = np.concatenate(parts)
        rows = np.empty_like(found)
        rows[order] = found
        return rows

    def _rows(self, batch: Sequence[Sequence[int]]) -> Floats:
        width = max(1, max(len(ids) for ids in batch))
        tokens = np.zeros((len(batch), width), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, ids in enumerate(batch):
            tokens[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        given = dict(zip(_INPUTS, (tokens, mask, np.zeros_like(tokens)), strict=True))
        hidden = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        return _unit(_pooled(np.asarray(hidden, dtype=np.float32), mask, self._folder))


def _batches(order: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(order), TEXTS_AT_ONCE):
        yield order[first : first + TEXTS_AT_ONCE]


def _pooled(hidden: Floats, mask: NDArray[np.int64], folder: Path) -> Floats:
    """The mean over the tokens of each text; what is one vector per text already stays."""
    if hidden.ndim == 2:
        return hidden
    if hidden.ndim != 3 or hidden.shape[:2] != mask.shape:
        reason = f"its model answers with shape {hidden.shape}; wanted (texts, tokens, dimensions)"
        raise InvalidInput(f"the encoder in {folder} cannot be used: {reason}")
    shares = mask.astype(np.float32) / np.maximum(1, mask.sum(axis=1, keepdims=True)).astype(np.float32)
    mean: Floats = np.einsum("ntd,nt->nd", hidden, shares)
    return mean


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1.0
    unit: Floats = (rows / lengths).astype(np.float32)
    return unit


def _tokenizer(path: Path) -> Any:  # tokenizers has no type of its own for what it gives
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        raise ExtraNeeded(what="a sentence encoder", extra="embeddings") from error
    _check_there(path)
    try:
        found = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for a file that it cannot read
        raise InvalidInput(f"{path} is no tokenizer that can be read ({shown(str(error))})") from error
    found.no_padding()
    found.enable_truncation(MOST_TOKENS)
    return found


def _session(path: Path, threads: int) -> Any:  # the types of onnxruntime are incomplete
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ExtraNeeded(what="a sentence encoder", extra="embeddings") from error
    _check_there(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has a class of error per cause and no common one
        raise InvalidInput(f"{path} is no ONNX model that can be run ({shown(str(error))})") from error


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise InvalidInput(f"the encoder needs {path}, which is not there; name a folder with {MODEL} and {TOKENIZER}")


def _digest(folder: Path) -> str:
    """A hash of both files: the same encoder in another folder is the same space."""
    digest = hashlib.sha256()
    for name in (MODEL, TOKENIZER):
        with (folder / name).open("rb") as file:
            while part := file.read(_BYTES_AT_ONCE):
                digest.update(part)
    return digest.hexdigest()[:16]


@lru_cache(maxsize=2)
def opened(folder: Path) -> OnnxEmbedder:
    """The encoder of a folder, read once in a process. Raises: InvalidInput, ExtraNeeded."""
    return OnnxEmbedder(folder)
