"""Held out rows: chosen by a keyed hash, so that a row is in the same part whoever asks and whatever was added.

The hash is BLAKE2b of the row's values as canonical JSON, keyed with the seed; a row is held out when it is below the
share. With a column the hash is of its value, so that rows which share it (a conversation, a document) stay together;
rows without a value there are told apart by all of theirs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from opsloop.core.errors import Conflict, InvalidInput
from opsloop.datasets.findings import Holdout

HOLDOUT, DEV = "holdout", "dev"
PARTS = (HOLDOUT, DEV)
SHOWN = 5
_encode = msgspec.json.Encoder(order="sorted").encode

Row = dict[str, Any]


class HoldoutChanged(Conflict):
    template = (
        "{dataset}: {count} of its {held} held out rows would change or go (rows {rows} of {frozen}), so no version "
        "was made; keep them as they are, or say why with --replace-holdout REASON, which is put on record"
    )


class HoldoutFrozen(Conflict):
    template = (
        "{dataset}: rows are held out already ({how}), and so others would be; say why with --replace-holdout REASON, "
        "which is put on record"
    )


def is_held_out(row: Row, holdout: Holdout) -> bool:
    value = row.get(holdout.by) if holdout.by is not None else None
    return _hashed(_plain(value) if value is not None else _known(row, holdout.columns), holdout.seed) < holdout.share


def part_of(rows: Iterable[Row], holdout: Holdout, part: str) -> Iterator[Row]:
    """The rows of one part, in order."""
    return (row for row in rows if is_held_out(row, holdout) is (part == HOLDOUT))


def counted(rows: Iterable[Row], holdout: Holdout) -> dict[str, int]:
    """How many rows are in each part."""
    held = Counter(is_held_out(row, holdout) for row in rows)
    return {HOLDOUT: held[True], DEV: held[False]}


def lost(frozen: Iterable[Row], rows: Iterable[Row], holdout: Holdout) -> list[int]:
    """Numbers, from 1, of the held out rows among `frozen` that `rows` lack; more columns do not matter."""
    there = Counter(_digest(row, holdout) for row in rows)
    missing = []
    for number, row in enumerate(frozen, start=1):
        if is_held_out(row, holdout):
            digest = _digest(row, holdout)
            if there[digest] == 0:
                missing.append(number)
            else:
                there[digest] -= 1
    return missing


def digest_of(digest: str, holdout: Holdout, part: str) -> str:
    """What names the rows of a part: equal for equal rows under the same choice."""
    chosen = f"{digest} {part} {holdout.share!r} {holdout.seed} {holdout.by} {','.join(holdout.columns)}"
    return hashlib.sha256(chosen.encode()).hexdigest()


def check(share: float, seed: int, by: str | None, columns: Sequence[str]) -> None:
    """Raises: InvalidInput."""
    if not 0 < share < 1:
        raise InvalidInput(field="holdout", value=share, wanted="a share above 0 and below 1, such as 0.2")
    if not 0 <= seed < 2**63:
        raise InvalidInput(field="seed", value=seed, wanted="a whole number of at least 0")
    if by is not None and by not in columns:
        raise InvalidInput(field="by", value=by, wanted=f"one of the columns {', '.join(columns[:20])}")


def _digest(row: Row, holdout: Holdout) -> bytes:
    return hashlib.sha256(_encode(_known(row, holdout.columns))).digest()


def _known(row: Row, columns: Sequence[str]) -> Row:
    return {name: _plain(row[name]) for name in columns if row.get(name) is not None}


def _plain(value: Any) -> Any:
    """Whole numbers are one value however a column has them: another row's 0.5 makes 1 to 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _hashed(value: Any, seed: int) -> float:
    """A number in [0, 1) that hangs on the value and the seed alone."""
    digest = hashlib.blake2b(_encode(value), key=f"opsloop holdout {seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
