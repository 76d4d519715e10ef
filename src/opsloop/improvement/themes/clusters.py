"""Group texts by meaning: latent semantic analysis, then agglomerative clustering.

Terms are weighted by frequency and rarity and their matrix is brought to few dimensions (S. Deerwester et al., Indexing
by Latent Semantic Analysis, JASIS 41 (1990), 391-407), in which clusters are merged by the mean of their distances
(average linkage; nearest-neighbour chains, F. Murtagh, A Survey of Recent Advances in Hierarchical Clustering
Algorithms, The Computer Journal 26 (1983), 354-359). How many clusters there are is where the mean silhouette is
highest (P. Rousseeuw, Silhouettes, J. Comput. Appl. Math. 20 (1987), 53-65). No random numbers: the same texts give the
same groups.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

DIMENSIONS = 20
MOST_CLUSTERS = 15
VOCABULARY = 4_000


def cluster(documents: Sequence[Sequence[str]]) -> list[int | None]:
    """The number of each document's cluster; None for a document without a term that another one has.

    Args:
        documents: their terms, repeated as they repeat.
    Raises: ImportError without numpy.
    """
    import numpy as np  # comes with an extra

    weights = _weights(np, documents)
    known = np.flatnonzero(np.linalg.norm(weights, axis=1) > 0)
    found: list[int | None] = [None] * len(documents)
    if len(known) < 2:
        return found
    points = _reduced(np, weights[known])
    distances = np.clip(1 - points @ points.T, 0, 2)
    merges = _merges(np, distances)
    most = max(2, min(MOST_CLUSTERS, len(known) // 3))
    labelled = [_labels(merges, len(known), count) for count in range(2, most + 1)]
    best = max(labelled, key=lambda labels: _silhouette(np, distances, np.asarray(labels)))
    for at, label in zip(known.tolist(), best, strict=True):
        found[at] = label
    return found


def _weights(np: Any, documents: Sequence[Sequence[str]]) -> Matrix:
    """Rows of unit length: log frequency times log rarity of terms that at least two documents have."""
    spread = Counter(term for document in documents for term in set(document))
    kept = [term for term, count in spread.most_common(VOCABULARY) if count >= 2]
    column = {term: at for at, term in enumerate(sorted(kept))}
    weights = np.zeros((len(documents), max(1, len(column))))
    for row, document in enumerate(documents):
        for term, count in Counter(document).items():
            if term in column:
                rarity = math.log((1 + len(documents)) / (1 + spread[term]))
                weights[row, column[term]] = (1 + math.log(count)) * rarity
    return _unit(np, weights)


def _reduced(np: Any, weights: Matrix) -> Matrix:
    left, strength, _ = np.linalg.svd(weights, full_matrices=False)
    count = max(1, min(DIMENSIONS, len(weights) - 1, int((strength > 1e-9).sum())))
    return _unit(np, left[:, :count] * strength[:count])


def _unit(np: Any, rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths < 1e-12] = 1.0
    result: Matrix = rows / lengths
    return result


def _merges(np: Any, distances: Matrix) -> list[tuple[float, int, int]]:
    """Which clusters become one at which mean distance, nearest first."""
    count = len(distances)
    apart = distances.copy()
    np.fill_diagonal(apart, np.inf)
    sizes, is_there = np.ones(count), np.ones(count, dtype=bool)
    merges: list[tuple[float, int, int]] = []
    chain: list[int] = []
    while len(merges) < count - 1:
        if not chain:
            chain.append(int(np.flatnonzero(is_there)[0]))
        while True:
            row = np.where(is_there, apart[chain[-1]], np.inf)
            nearest = int(np.argmin(row))
            if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
                break
            chain.append(nearest)
        one, other = chain.pop(), chain.pop()
        merges.append((float(apart[one, other]), one, other))
        together = (sizes[one] * apart[one] + sizes[other] * apart[other]) / (sizes[one] + sizes[other])
        apart[other], apart[:, other] = together, together
        apart[other, other] = np.inf
        is_there[one] = False
        sizes[other] += sizes[one]
    return sorted(merges)


def _labels(merges: Sequence[tuple[float, int, int]], count: int, clusters: int) -> list[int]:
    above = list(range(count))

    def top(at: int) -> int:
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    for _, one, other in merges[: count - clusters]:
        above[top(one)] = top(other)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(top(at), len(numbers)) for at in range(count)]


def _silhouette(np: Any, distances: Matrix, labels: NDArray[np.int64]) -> float:
    rows = np.arange(len(labels))
    member = np.eye(int(labels.max()) + 1)[labels]
    counts = member.sum(axis=0)
    totals = distances @ member
    own = totals[rows, labels] / np.maximum(counts[labels] - 1, 1)
    means = totals / counts
    means[rows, labels] = np.inf
    nearest = means.min(axis=1)
    widths = (nearest - own) / np.maximum(np.maximum(own, nearest), 1e-12)
    widths[counts[labels] == 1] = 0.0
    return float(widths.mean())
