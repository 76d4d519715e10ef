"""The offline embedder: latent semantic analysis fitted on the collection it serves; no weights, no network.

Texts become TF-IDF rows, and a truncated singular value decomposition keeps the directions in which the collection
varies most: words that stand together point the same way. Sources: S. Deerwester et al., Indexing by latent semantic
analysis, JASIS 41 (1990), 391-407; the decomposition is randomised subspace iteration, N. Halko, P. Martinsson and
J. Tropp, Finding structure with randomness, SIAM Review 53 (2011), 217-288, algorithms 4.4 and 5.1.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from functools import cached_property
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput
from opsloop.llm.embedders._sparse import Floats, Ids, Sparse, counted

Analyser = Callable[[str], Sequence[int]]

DIMENSIONS = 256
# More documents than this do not move the directions much and cost time linearly; a sample is fitted instead.
FIT_DOCUMENTS = 5_000
# Words of fewer documents than this cannot connect two documents; the most frequent are kept when there are too many.
_LEAST_DOCUMENTS = 2
_MOST_WORDS = 40_000
_OVERSAMPLING = 16
_POWER_ITERATIONS = 2


class LsaEmbedder:
    """A fitted embedder. Made by `fit` or `from_bytes`; the same documents and seed give the same bytes.

    Args:
        vocabulary: known word ids, sorted, shape (v,).
        weights: inverse document frequency of each, shape (v,).
        directions: what to project on, orthonormal columns, shape (v, d).
        analyse: a text to its word ids, the same at fitting and use.
    """

    def __init__(self, vocabulary: Ids, weights: Floats, directions: Floats, analyse: Analyser) -> None:
        self._vocabulary = vocabulary
        self._weights = weights
        self._directions = directions
        self._analyse = analyse
        self.dimensions = int(directions.shape[1])

    @cached_property
    def identity(self) -> str:
        """The kind, the dimensions, and a hash of what was learnt."""
        digest = hashlib.sha256()
        for array in (self._vocabulary, self._weights, self._directions.astype(np.float16)):
            digest.update(array.tobytes())
        return f"lsa-{self.dimensions}-{digest.hexdigest()[:16]}"

    @classmethod
    def fit(
        cls, documents: Sequence[Ids], analyse: Analyser, *, dimensions: int = DIMENSIONS, seed: int = 0
    ) -> LsaEmbedder:
        """Learn from documents given as word ids. A collection too small for `dimensions` gets fewer.

        Cost: about two seconds per 5,000 texts of 60 distinct words; larger collections are sampled.
        """
        random = np.random.default_rng(seed)
        if len(documents) > FIT_DOCUMENTS:
            chosen = np.sort(random.choice(len(documents), FIT_DOCUMENTS, replace=False))
            documents = [documents[index] for index in chosen]
        vocabulary, weights = _vocabulary(documents)
        matrix = weighted(counted(documents, vocabulary), weights)
        return cls(vocabulary, weights, _directions(matrix, dimensions, random), analyse)

    def explained(self, documents: Sequence[Ids]) -> float:
        """The share of the documents' variation that the directions keep, 0-1: how far to trust these vectors."""
        matrix = weighted(counted(documents, self._vocabulary), self._weights)
        if not len(matrix.values):
            return 0.0
        kept = np.sum(np.square(matrix.times(self._directions), dtype=np.float64))
        return float(min(1.0, kept / np.sum(np.square(matrix.values, dtype=np.float64))))

    def embed(self, texts: Sequence[str]) -> Floats:
        return self.embed_ids([np.asarray(self._analyse(text), dtype=np.uint32) for text in texts])

    def embed_ids(self, documents: Sequence[Ids]) -> Floats:
        """`embed` for texts that are word ids already."""
        projected = weighted(counted(documents, self._vocabulary), self._weights).times(self._directions)
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        lengths[lengths == 0] = 1.0
        unit: Floats = projected / lengths
        return unit

    def to_bytes(self) -> bytes:
        """The fitted arrays as an `.npz` archive without pickled objects."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            vocabulary=self._vocabulary,
            weights=self._weights,
            directions=self._directions.astype(np.float16),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, analyse: Analyser) -> LsaEmbedder:
        """Raises: InvalidInput when the bytes are not what `to_bytes` wrote."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                directions = arrays["directions"].astype(np.float32)
                return cls(arrays["vocabulary"], arrays["weights"], directions, analyse)
        except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
            raise InvalidInput(f"a stored embedder cannot be read ({error}); re-index its collection") from error


def _vocabulary(documents: Sequence[Ids]) -> tuple[Ids, Floats]:
    """The words worth keeping and their smoothed inverse document frequencies, ln((1 + n) / (1 + df)) + 1."""
    distinct = np.concatenate([*(np.unique(document) for document in documents), np.empty(0, np.uint32)])
    words, frequency = np.unique(distinct.astype(np.uint32), return_counts=True)
    kept = np.flatnonzero(frequency >= min(_LEAST_DOCUMENTS, max(1, len(documents) // 10)))
    if len(kept) > _MOST_WORDS:
        kept = np.sort(kept[np.argsort(-frequency[kept], kind="stable")[:_MOST_WORDS]])
    inverse = np.log((1 + len(documents)) / (1 + frequency[kept])) + 1
    return words[kept], inverse.astype(np.float32)


def weighted(counts: Sparse, weights: Floats) -> Sparse:
    """TF-IDF rows of length 1, with 1 + ln(count) for repeated words."""
    damped = Sparse(counts.starts, counts.columns, 1 + np.log(counts.values), counts.width)
    return damped.scaled(weights)


def _directions(matrix: Sparse, dimensions: int, random: np.random.Generator) -> Floats:
    """The first right singular vectors as columns, shape (width, d), d <= dimensions."""
    rank = min(dimensions, matrix.rows, matrix.width)
    if rank == 0:
        return np.zeros((matrix.width, 1), dtype=np.float32)
    sketched = min(rank + _OVERSAMPLING, matrix.rows, matrix.width)
    transposed = matrix.transposed()
    basis = _orthonormal(matrix.times(random.standard_normal((matrix.width, sketched)).astype(np.float32)))
    for _ in range(_POWER_ITERATIONS):
        basis = _orthonormal(matrix.times(_orthonormal(transposed.times(basis))))
    projected = transposed.times(basis)
    # Singular vectors of the small side by its Gram matrix: 5 times faster than a decomposition of the wide matrix.
    squares, left = np.linalg.eigh(projected.T.astype(np.float64) @ projected)
    kept = [index for index in np.argsort(-squares)[:rank] if squares[index] > 1e-6 * squares.max(initial=0)]
    if not kept:
        return np.zeros((matrix.width, 1), dtype=np.float32)
    return _signed((projected @ left[:, kept] / np.sqrt(squares[kept])).astype(np.float32))


def _orthonormal(columns: Floats) -> Floats:
    """An orthonormal basis of what the columns span, through their Gram matrix.

    A Householder QR is more exact than a basis that is projected on again needs, and takes ten times as long.
    """
    squares, vectors = np.linalg.eigh(columns.T.astype(np.float64) @ columns)
    kept = squares > 1e-9 * squares.max(initial=0)
    basis: Floats = columns @ (vectors[:, kept] / np.sqrt(squares[kept])).astype(np.float32)
    return basis


def _signed(columns: Floats) -> NDArray[np.float32]:
    """Columns with their largest entry positive: a decomposition leaves the sign open, a stored model must not."""
    largest = columns[np.argmax(np.abs(columns), axis=0), np.arange(columns.shape[1])]
    return np.ascontiguousarray(columns * np.where(largest < 0, -1.0, 1.0).astype(np.float32))
