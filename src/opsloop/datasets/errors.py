"""What can be wrong with a dataset and its files."""

from __future__ import annotations

from typing import Any

from opsloop.core.errors import Conflict, InvalidInput, NotFound, TooLarge, shown


class DatasetMissing(NotFound):
    template = (
        "no dataset {name!r}{near}; register it with `opsloop data register {bare} FILE`, or see `opsloop data list`"
    )


class FileBroken(InvalidInput):
    """A file cannot become a dataset.

    Args:
        place: where in the file: `line 7`, `row 3`, `the file`.
        column: a column's name, or the number of a character in the line.
    """

    def __init__(self, file: str, place: str, wanted: str, *, column: str | int | None = None, **facts: Any) -> None:
        where = f"{file}, {place}"
        if column is not None:
            where += f", column {column!r}"
        got = f"is {shown(facts['value'])}; " if "value" in facts else ""
        super().__init__(
            f"{where}: {got}wanted {wanted}", file=file, place=place, column=column, wanted=wanted, **facts
        )


class SnapshotGone(Conflict):
    """Another registration of the same rows was refused meanwhile, and took them out of the store."""

    template = "{dataset}: its rows were taken away before the version was made; register them again"


class DatasetTooLarge(TooLarge):
    template = "{file} holds {what}; the limit is {limit}: split it, or leave columns out"


class NoMemory(TooLarge):
    template = (
        "{file} has rows too long for the {limit_bytes:,} bytes of memory that work on a dataset may take; "
        "leave columns out, or raise OPSLOOP_DATASET_MEMORY_BYTES"
    )
