"""What a model takes and gives: the columns of its input by name, type and range, and its output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class FieldType(StrEnum):
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    """A category, or text that the model itself takes apart."""


class Task(StrEnum):
    CLASSIFICATION = "classification"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a model's input.

    Args:
        low, high: the range seen in training; None for text.
        categories: the texts seen in training, sorted; empty for text with too many to list.
        nullable: whether a value may be missing.
    """

    name: str
    type: FieldType
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """What a model says of a row.

    Args:
        classes: what a classifier chooses from, in the order of its probabilities.
    """

    name: str
    task: Task
    classes: tuple[str | int | bool, ...] = ()


@dataclass(frozen=True)
class Signature:
    """`inputs` in the order of the columns of X."""

    inputs: tuple[Field, ...]
    output: Output

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.inputs)

    @cached_property
    def is_numeric(self) -> bool:
        """Whether X holds numbers alone (float64); else it holds objects, text among them."""
        return all(field.type is not FieldType.TEXT for field in self.inputs)
