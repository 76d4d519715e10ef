"""Read rows out of JSON into a table, checked against a model's signature.

The decoder is made once for a signature: its types do the checking while it reads. What it refuses is read a second
time for the sentence that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from opsloop.core.errors import InvalidInput
from opsloop.gateway.errors import TooManyRows
from opsloop.gateway.predicting.repeated_keys import has_repeated_key
from opsloop.gateway.predicting.row_faults import fault_of
from opsloop.models.signature import Field, FieldType, Signature
from opsloop.models.values import LARGEST, LARGEST_WHOLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_encode = msgspec.json.Encoder().encode
_LEFT = b" \t\r\n"
# Fewer values are looked at faster one by one than by NumPy.
_FEW = 64


class Table(msgspec.Struct, frozen=True, gc=False):
    """Rows of a request. A msgspec struct as `Predicted` is, for the same reason.

    Args:
        X: (rows, inputs), as models take it.
        text: the rows as lists, JSON.
    """

    X: NDArray[Any]
    text: bytes


class Rows:
    """Args: limit: most rows of one request."""

    __slots__ = (
        "_by_name",
        "_columns",
        "_decoder",
        "_fields",
        "_is_numeric",
        "_limits",
        "_lists",
        "limit",
        "signature",
    )

    def __init__(self, signature: Signature, limit: int) -> None:
        self.signature = signature
        self.limit = limit
        self._fields = signature.inputs
        self._is_numeric = signature.is_numeric
        row: Any = tuple[tuple(_type(field) for field in self._fields)]  # type: ignore[misc]
        self._lists: Any = list.__class_getitem__(row)
        self._decoder: msgspec.json.Decoder[list[tuple[Any, ...]]] = msgspec.json.Decoder(self._lists)
        self._by_name = msgspec.json.Decoder(list[dict[str, Any]])
        self._columns = msgspec.json.Decoder(dict[str, list[Any]])
        are_plain = all(field.type is FieldType.NUMBER and not field.nullable for field in self._fields)
        self._limits = None if are_plain else [_limit_of(field) for field in self._fields]

    def table(self, text: bytes | msgspec.Raw) -> Table:
        """Args:
        text: JSON: rows as lists or as objects, or an object of columns.
        Raises: InvalidInput, TooManyRows.
        """
        raw = bytes(text)
        try:
            if raw[:2] == b"[[":
                return self.of_lists(self._decoder.decode(raw), raw)
            return self._read(raw)
        except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.fault(raw) or _unread(error) from None

    def fault(self, text: bytes) -> InvalidInput | TooManyRows | None:
        """What is wrong with rows that cannot be read. Slow."""
        return fault_of(text, self.signature, self.limit)

    def of_lists(self, rows: Sequence[Sequence[Any]], text: bytes | None = None) -> Table:
        """Raises: ValueError for a value that the signature does not have, TooManyRows."""
        import numpy as np  # an extra, and 25 MB that a platform without models does not need

        count = len(rows)
        if count > self.limit:
            raise TooManyRows(rows=count, limit=self.limit)
        if not count:
            raise ValueError
        if self._limits is not None:
            X = self._checked(rows)
        elif count * len(self._fields) <= _FEW:
            for row in rows:
                for value in row:
                    if not -LARGEST <= value <= LARGEST:
                        raise ValueError
            X = np.array(rows, dtype=np.float64)
        else:
            X = np.fromiter(chain.from_iterable(rows), np.float64, count * len(self._fields))
            if not (abs(X) <= LARGEST).all():
                raise ValueError
            X = X.reshape(count, -1)
        return Table(X, _encode(rows) if text is None else text)

    def _read(self, raw: bytes) -> Table:
        inside = raw.lstrip(_LEFT)
        if inside[:1] == b"{":
            columns = self._columns.decode(raw)
            lists = list(zip(*[columns.pop(field.name) for field in self._fields], strict=True))
            if columns or (raw.count(b":") > len(self._fields) and has_repeated_key(raw)):
                raise KeyError
        elif inside[1:].lstrip(_LEFT)[:1] == b"{":
            lists = [self._ordered(row) for row in self._by_name.decode(raw)]
            if raw.count(b":") > len(lists) * len(self._fields) and has_repeated_key(raw):
                raise KeyError
        else:
            return self.of_lists(self._decoder.decode(raw), raw)
        return self.of_lists(msgspec.convert(lists, self._lists))

    def _ordered(self, row: dict[str, Any]) -> tuple[Any, ...]:
        if len(row) != len(self._fields):
            raise KeyError
        return tuple(row[field.name] for field in self._fields)

    def _checked(self, rows: Sequence[Sequence[Any]]) -> NDArray[Any]:
        import numpy as np  # as above

        assert self._limits is not None
        for row in rows:
            for value, (largest, is_whole, categories) in zip(row, self._limits, strict=True):
                if value is None:
                    continue
                if categories is not None:
                    if categories and value not in categories:
                        raise ValueError
                elif not -largest <= value <= largest or (is_whole and value % 1):
                    raise ValueError
        if self._is_numeric:
            return np.array(rows, dtype=np.float64)
        X = np.empty((len(rows), len(self._fields)), dtype=object)
        for at, field in enumerate(self._fields):
            column = [row[at] for row in rows]
            X[:, at] = column if field.type is FieldType.TEXT else [_number(value) for value in column]
        return X


def _unread(error: Exception) -> InvalidInput:
    return InvalidInput(f"inputs: cannot be read ({error}); wanted rows of values", field="inputs")


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _type(field: Field) -> Any:
    kinds = {FieldType.TEXT: str, FieldType.BOOLEAN: bool | float}
    kind: Any = kinds.get(field.type, float)
    return kind | None if field.nullable else kind


def _limit_of(field: Field) -> tuple[float, bool, frozenset[str] | None]:
    """The largest number, whether it must be whole, and the texts; none of them for any text."""
    match field.type:
        case FieldType.TEXT:
            return 0.0, False, frozenset(field.categories)
        case FieldType.INTEGER:
            return float(LARGEST_WHOLE), True, None
        case FieldType.BOOLEAN:
            return 1.0, True, None
        case _:
            return LARGEST, False, None
