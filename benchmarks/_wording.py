"""Training of the guardrails' light models, and what they give on rows that their training did not see.

Needs `opsloop[training]`. The same data and the same versions of numpy and scikit-learn give the same weights.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from opsloop.guardrails.wording.features import BUCKETS, buckets
from opsloop.guardrails.wording.passages import SIZE, passages
from opsloop.guardrails.wording.plain import plain

SEED, FOLDS = 7, 5
MOST_PASSAGES = 8
# What comes after an attack's first passage need be none: it counts for less.
LATER = 0.3

Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Row:
    """Args: group: rows of one group are in one fold, such as those made from one template; empty for none."""

    source: str
    text: str
    is_bad: bool
    group: str = ""


def folds_of(rows: Sequence[Row]) -> Integers:
    """A fold for each row. Rows of a group, and rows that share a sentence, have the same."""
    parent = list(range(len(rows)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[str, int] = {}
    for at, row in enumerate(rows):
        sentences = plain(row.text[:4000]).replace("!", ".").replace("?", ".").split(".")
        shared = [each.strip() for each in sentences if len(each) > 25] if row.source != "ours" else []
        for each in [*shared, *([f"group {row.group}"] if row.group else [])]:
            parent[root(at)] = root(first.setdefault(each, at))
    chance = random.Random(SEED)
    fold_of: dict[int, int] = defaultdict(lambda: chance.randrange(FOLDS))
    return np.array([fold_of[root(at)] for at in range(len(rows))])


class Passages:
    """The features of the passages of rows, and which row each is of.

    Args:
        shares: what a row of each source counts for; 1 when it is not named.
        size: of a passage, in characters.
        read: what is made of a plain passage before it is hashed.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        shares: Mapping[str, float],
        *,
        size: int = SIZE,
        read: Callable[[str], str] = lambda said: said,
    ) -> None:
        found = [
            (at, buckets(read(plain(row.text[start:end]))))
            for at, row in enumerate(rows)
            for start, end in list(passages(row.text, size))[:MOST_PASSAGES]
        ]
        self.rows = len(rows)
        self.row = np.array([at for at, _ in found])
        starts = np.cumsum([0, *(len(each) for _, each in found)])
        values = np.concatenate([np.full(len(each), 1 / np.sqrt(len(each) or 1)) for _, each in found])
        columns = np.concatenate([np.array(sorted(each), dtype=np.int32) for _, each in found])
        self.matrix = csr_matrix((values, columns, starts), shape=(len(found), BUCKETS))
        self.label = np.array([rows[at].is_bad for at in self.row])
        is_first = np.array([True, *(one != other for one, other in pairwise(self.row))])
        share = np.array([shares.get(rows[at].source, 1.0) for at in self.row])
        self.weight = share * np.where(self.label & ~is_first, LATER, 1.0) / np.sqrt(np.bincount(self.row)[self.row])

    def by_row(self, scores: Floats) -> Floats:
        """A row's score is that of its most suspicious passage."""
        most = np.zeros(self.rows)
        np.maximum.at(most, self.row, scores)
        return most


def fitted(found: Passages, chosen: Booleans, c: float) -> Any:
    model = LogisticRegression(C=c, max_iter=3000, class_weight="balanced")
    return model.fit(found.matrix[chosen], found.label[chosen], sample_weight=found.weight[chosen])


def unseen_scores(rows: Sequence[Row], found: Passages, c: float) -> Floats:
    """The score of each row by a model of the other folds."""
    folds = folds_of(rows)
    scores = np.zeros(len(found.label))
    for fold in range(FOLDS):
        inside = folds[found.row] == fold
        scores[inside] = fitted(found, ~inside, c).predict_proba(found.matrix[inside])[:, 1]
    return found.by_row(scores)


def threshold_for(rows: Sequence[Row], scores: Floats, largest_fpr: float) -> float:
    """The least score that so few harmless texts reach, in all and in every set but the worst; ours do not count."""
    harmless = [(row.source, score) for row, score in zip(rows, scores, strict=True) if not row.is_bad]
    by_source: defaultdict[str, list[float]] = defaultdict(list)
    for source, score in harmless:
        if source != "ours":
            by_source[source].append(score)
    limits = sorted(float(np.quantile(each, 1 - largest_fpr)) for each in by_source.values())
    together = float(np.quantile([score for each in by_source.values() for score in each], 1 - largest_fpr))
    return round(max(together, limits[-2] if len(limits) > 1 else limits[-1]), 4)


def write(file: Path, rows: Sequence[Row], found: Passages, *, c: float, threshold: float, sources: str) -> None:
    """The weights of a model of all rows."""
    model = fitted(found, np.ones(len(found.label), dtype=bool), c)
    scale = float(np.abs(model.coef_).max() / 127)
    weights = np.round(model.coef_[0] / scale).astype(np.int8)
    head = {
        "scale": round(scale, 8),
        "bias": round(float(model.intercept_[0]), 6),
        "threshold": threshold,
        "sources": sources,
        "made_by": "scripts/train_screens.py",
    }
    file.write_bytes(json.dumps(head).encode() + b"\n" + weights.tobytes())
