"""What is left in an SQLite file of rows that were deleted, and how it goes.

`PRAGMA secure_delete` overwrites a row that is deleted. It does not overwrite the copies that lie between a page's rows
after SQLite moved some of them to another page to balance its tree (`rebuildPage` in its btree.c), and the write-ahead
log keeps whole old pages. So a transaction that deletes what must be gone says so, `owe`; `rewrite` then writes all
tables anew, which takes as long and as much disk as copying the file does, and `cut_log` lets the log go.

The debt is the file's `user_version`: it is in the transaction, outlives a kill, and a rewrite takes away only what was
owed when it began.
"""

from __future__ import annotations

import sqlite3

LOG_PATIENCE_MS = 500
_HIGHEST = 2**31 - 1


def owe(connection: sqlite3.Connection) -> None:
    """Within the transaction that deletes."""
    connection.execute(f"PRAGMA user_version={_owed(connection) % _HIGHEST + 1}")


def rewrite(connection: sqlite3.Connection) -> bool:
    """Write the whole file anew when that is owed; whether it was. Other writers wait meanwhile, readers do not."""
    before = _owed(connection)
    if not before:
        return False
    connection.execute("VACUUM")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _owed(connection) == before:
            connection.execute("PRAGMA user_version=0")
    finally:
        connection.execute("COMMIT")
    return True


def cut_log(connection: sqlite3.Connection) -> bool:
    """Checkpoint the write-ahead log and cut it to nothing; waits a moment for readers, who hold up writers as long."""
    waits_ms = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout={LOG_PATIENCE_MS}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # another connection writes just now
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={waits_ms}")
    return not busy


def _owed(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
