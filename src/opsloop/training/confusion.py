"""Which classes a model takes for which, and how well it finds each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from opsloop.training.table import Array

MOST_CLASSES = 50


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Args:
    precision: share of the rows said to be of the class that are; None when none was said to be.
    recall: share of the class's rows that were found; None when there is none.
    """

    label: str | int | bool
    rows: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Args:
    counts: a row for each true class, in it a number for each class that was said.
    """

    classes: tuple[ClassFigures, ...]
    counts: tuple[tuple[int, ...], ...]


def confusion_of(y: Array, said: Array, labels: Array) -> Confusion | None:
    """None with so many classes that nobody would read it."""
    if len(labels) > MOST_CLASSES:
        return None
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(labels, y), np.searchsorted(labels, said)), 1)
    figures = tuple(_figures(label, counts, place) for place, label in enumerate(labels.tolist()))
    return Confusion(figures, tuple(tuple(row) for row in counts.tolist()))


def _figures(label: str | int | bool, counts: Array, place: int) -> ClassFigures:
    right, true, said = int(counts[place, place]), int(counts[place].sum()), int(counts[:, place].sum())
    f1 = 2 * right / (true + said) if true + said else None
    return ClassFigures(label, true, right / said if said else None, right / true if true else None, f1)
