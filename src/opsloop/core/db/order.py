"""Serial numbers that become visible in order.

SQLite has one writer at a time, so numbers are committed in the order in which they are given out. PostgreSQL gives
numbers out before it commits: a reader that remembers the highest number it saw would miss a lower one committed later.
A transaction that calls `one_after_another` first holds an advisory lock until it ends, and the order holds there too.
"""

from __future__ import annotations

import zlib

from sqlalchemy import text
from sqlalchemy.orm import Session


def one_after_another(session: Session, table: str) -> None:
    """Let writing transactions of one table wait for each other; call before the first insert."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :table)"), {"space": 7317, "table": _number(table)})


def _number(table: str) -> int:
    # PostgreSQL wants a signed 32-bit number.
    return zlib.crc32(table.encode()) - 2**31
