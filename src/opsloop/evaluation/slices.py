"""Named slices of the data: conditions on the columns of a row.

A condition is a mapping of columns to the value, or the list of values, that a row has there, or one line such as
`length(question) > 200 and language == "de"`. The line is read and never run: comparisons, `in`, `and`, `or`, `not`,
`length(…)` and `lower(…)` of columns and plain values are all there is. Where no column is called so, `dataset` is the
name of the row's dataset and `dataset_version` the version, such as `golden@3`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.evaluation.errors import ExperimentInvalid

FORM = 'a condition such as length(question) > 200 and language == "de", or a mapping of columns to values'
DATASET, VERSION = "dataset", "dataset_version"
OF_DATASET = frozenset((DATASET, VERSION))
_LONGEST = 2_000
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, among: value in among,
    ast.NotIn: lambda value, among: value not in among,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"length": len, "lower": lambda value: value.lower()}

Read = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a row belongs to a slice. `columns` are those it reads."""

    read: Read
    columns: frozenset[str]

    def holds(self, data: Mapping[str, Any], *, dataset: str = "") -> bool:
        """False too where a column is missing or of a type that cannot be compared so.

        Args:
            dataset: the version that the row is of, or the dataset's name.
        """
        try:
            return bool(self.read({DATASET: dataset.rpartition("@")[0] or dataset, VERSION: dataset, **data}))
        except (TypeError, AttributeError):
            return False


def condition(declared: object, *, field: str) -> Condition:
    """Read a condition. Raises: ExperimentInvalid naming the field."""
    if isinstance(declared, Mapping) and declared:
        return Condition(_mapped(declared), frozenset(map(str, declared)))
    if not isinstance(declared, str) or not declared.strip() or len(declared) > _LONGEST:
        raise ExperimentInvalid(field, FORM, value=declared)
    try:
        tree = ast.parse(declared.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExperimentInvalid(field, FORM, value=declared) from None
    columns: set[str] = set()
    try:
        return Condition(_compiled(tree.body, columns), frozenset(columns))
    except _NotACondition as error:
        raise ExperimentInvalid(field, f"{FORM}; {error}", value=declared) from None


class _NotACondition(Exception):
    pass


def _mapped(declared: Mapping[Any, Any]) -> Read:
    wanted = {str(column): value if isinstance(value, list) else [value] for column, value in declared.items()}
    return lambda row: all(column in row and row[column] in values for column, values in wanted.items())


def _compiled(node: ast.expr, columns: set[str]) -> Read:
    match node:
        case ast.Constant(value=value):
            return lambda _: value
        case ast.Name(id=name):
            columns.add(name)
            return lambda row: row.get(name)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            reads = [_compiled(part, columns) for part in parts]
            return lambda row: [read(row) for read in reads]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return lambda _: -value
        case ast.UnaryOp(op=ast.Not(), operand=part):
            inner = _compiled(part, columns)
            return lambda row: not inner(row)
        case ast.BoolOp(op=op, values=parts):
            reads = [_compiled(part, columns) for part in parts]
            combine = all if isinstance(op, ast.And) else any
            return lambda row: combine(read(row) for read in reads)
        case ast.Compare():
            return _comparison(node, columns)
        case ast.Call(func=ast.Name(id=name), args=[part], keywords=[]) if name in _FUNCTIONS:
            inner, apply = _compiled(part, columns), _FUNCTIONS[name]
            return lambda row: apply(inner(row))
    raise _NotACondition(f"{ast.unparse(node)!r} is none of what may stand in one")


def _comparison(node: ast.Compare, columns: set[str]) -> Read:
    reads = [_compiled(part, columns) for part in (node.left, *node.comparators)]
    unknown = [op for op in node.ops if type(op) not in _COMPARISONS]
    if unknown:
        raise _NotACondition("it compares in a way that is not known; there are ==, !=, <, <=, >, >=, in and not in")
    compares = [_COMPARISONS[type(op)] for op in node.ops]

    def read(row: Mapping[str, Any]) -> bool:
        values = [each(row) for each in reads]
        return all(compare(values[at], values[at + 1]) for at, compare in enumerate(compares))

    return read
