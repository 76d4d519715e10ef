"""Find a signature in the rows that a model is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.models.signature import Field, FieldType, Output, Signature, Task

MOST_CATEGORIES = 1_000
"""Columns of text with more different values have none listed."""


def signature_of(X: NDArray[Any], names: Sequence[str], output: Output) -> Signature:
    """Args:
    X: (rows, inputs); float64 or object.
    """
    return Signature(tuple(field_of(name, X[:, at]) for at, name in enumerate(names)), output)


def output_of(name: str, task: Task, y: NDArray[Any]) -> Output:
    """Args:
    y: (rows,), what is right.
    """
    if task is Task.REGRESSION:
        return Output(name, task)
    return Output(name, task, tuple(np.unique(y).tolist()))


def field_of(name: str, values: NDArray[Any]) -> Field:
    """A field as the values of one column show it."""
    if values.dtype == object and any(isinstance(value, str) for value in values):
        texts = {value for value in values if value is not None}
        categories = tuple(sorted(texts)) if len(texts) <= MOST_CATEGORIES else ()
        return Field(name, FieldType.TEXT, categories=categories, nullable=any(value is None for value in values))
    numbers = values.astype(np.float64)
    known = numbers[~np.isnan(numbers)]
    nullable = len(known) < len(numbers)
    if not len(known):
        return Field(name, FieldType.NUMBER, nullable=True)
    return Field(name, _type(values, known), float(known.min()), float(known.max()), nullable=nullable)


def _type(values: NDArray[Any], known: NDArray[np.float64]) -> FieldType:
    if values.dtype == bool or (values.dtype == object and all(isinstance(value, bool) for value in values)):
        return FieldType.BOOLEAN
    return FieldType.INTEGER if bool(np.all(known == np.floor(known))) else FieldType.NUMBER
