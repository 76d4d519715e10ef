"""Types for the rows of a file, made from the columns found so far, which the JSON decoder checks by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from opsloop.datasets.columns import EXACT_IN_FLOAT, MAX_INTEGER, MIN_INTEGER, Seen
from opsloop.datasets.models import ColumnType
from opsloop.datasets.staging import MISSING

_sorted = msgspec.json.Encoder(order="sorted").encode
_lines = msgspec.json.Encoder().encode_lines
_NARROW = Annotated[int, Meta(ge=-EXACT_IN_FLOAT, le=EXACT_IN_FLOAT)]
_WIDE = Annotated[int, Meta(ge=MIN_INTEGER, le=MAX_INTEGER)]
# A key and its colon may be apart, or be written as escapes; then counting `":` does not count the keys.
_APART = re.compile(rb'"[ \t\r]+:')
_ESCAPED = re.compile(rb"\\u00(?:22|3[aA])")
_UNUSABLE = re.compile(r'["\\\x00-\x1f]')
_PLAIN: dict[ColumnType, Any] = {
    ColumnType.EMPTY: type(None),
    ColumnType.TEXT: str | None,
    ColumnType.BOOLEAN: bool | None,
    ColumnType.JSON: list | dict | None,
}


@dataclass(frozen=True, slots=True)
class Typed:
    """Decodes lines of rows that fit the columns, and nothing else.

    Args:
        nested: fields that hold lists and objects.
        optional: columns that a row may miss, by field.
    """

    decoder: msgspec.json.Decoder[Any]
    nested: tuple[str, ...]
    optional: Mapping[str, str]

    def encoded(self, block: bytes) -> bytes | None:
        """The lines as they are to be written; None when the rows need a closer look."""
        try:
            rows = self.decoder.decode_lines(block)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        encoded = _lines(rows)
        if encoded != block and not _is_whole(block, encoded, len(rows)):
            return None
        if not self.nested and not self.optional:
            return encoded
        self._fold(rows)
        self._note_missing(rows)
        return _lines(rows)

    def _fold(self, rows: list[Any]) -> None:
        """Nested values as JSON text."""
        for field in self.nested:
            value_of = attrgetter(field)
            for row in rows:
                if (value := value_of(row)) is not None and value is not UNSET:
                    setattr(row, field, _sorted(value).decode())

    def _note_missing(self, rows: list[Any]) -> None:
        absent: dict[int, list[str]] = {}
        for field, name in self.optional.items():
            value_of = attrgetter(field)
            for at, row in enumerate(rows):
                if value_of(row) is UNSET:
                    absent.setdefault(at, []).append(name)
        for at, names in absent.items():
            rows[at].missing = _sorted(names).decode()


def typed(columns: Mapping[str, Seen], optional: Set[str]) -> Typed | None:
    """Types that take exactly what would not change these columns; None when their names cannot be fields."""
    if MISSING in columns or any(map(_UNUSABLE.search, columns)):
        return None
    names = {f"f{number}": name for number, name in enumerate(columns)}
    # Those that a row may miss come last, as fields with a default must; the order in a line does not matter.
    fields: list[Any] = [(field, _kind(columns[name])) for field, name in names.items() if name not in optional]
    missable = {field: name for field, name in names.items() if name in optional}
    fields += [(field, _kind(columns[name]) | UnsetType, UNSET) for field, name in missable.items()]
    row = msgspec.defstruct(
        "Row",
        [*fields, ("missing", UnsetType, UNSET)],
        rename={**names, "missing": MISSING},
        gc=False,
        forbid_unknown_fields=True,
    )
    nested = tuple(field for field, name in names.items() if columns[name].kind is ColumnType.JSON)
    return Typed(msgspec.json.Decoder(row), nested, missable)


def _kind(seen: Seen) -> Any:
    if seen.kind in _PLAIN:
        return _PLAIN[seen.kind]
    if seen.any_float:
        return float | (int if seen.any_wide else _NARROW) | None
    return (int if seen.any_huge else _WIDE if seen.any_wide else _NARROW) | None


def _is_whole(block: bytes, encoded: bytes, rows: int) -> bool:
    """Whether every line of a block was one object, and nothing of it is lost: of a key that is there twice, one is."""
    # As most programs write JSON: compact, or with a space after each comma and colon.
    if block.replace(b'": ', b'":').replace(b', "', b',"') == encoded:
        return True
    lines = block.count(b"\n")
    return (
        rows == lines
        and _is_one_a_line(block, lines)
        and _is_countable(block)
        and encoded.count(b'":') == block.count(b'":')
    )


def _is_countable(block: bytes) -> bool:
    """Whether every key stands there as `"key":`, so that `":` is at least as often in the block as there are keys."""
    return not _APART.search(block) and not _ESCAPED.search(block)


def _is_one_a_line(block: bytes, lines: int) -> bool:
    """Whether every line is one JSON object, if it is valid JSON at all: no value has `}` and `{` side by side."""
    between = block.count(b"}\n{") + block.count(b"}\r\n{")
    return between == lines - 1 and block.startswith(b"{") and block.endswith((b"}\n", b"}\r\n"))
