"""The port: what turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Texts to vectors of one space; two vectors may be compared only when their embedders' identities are equal."""

    @property
    def identity(self) -> str:
        """Names the space: kind, model and, for a fitted embedder, a hash of what was learnt."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text, shape (n, d), float32; rows of length 1, or 0 for a text it knows nothing of."""
        ...
