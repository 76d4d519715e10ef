"""A turn that one process at a time has, for work that must not be done twice: running jobs.

PostgreSQL keeps it as an advisory lock of a connection that is held for it: it is free again when the process ends,
however it ends, and another process that asks takes it over. On SQLite the data folder's lock has settled it already:
one platform at a time has the folder.
"""

from __future__ import annotations

import zlib
from contextlib import suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from opsloop.core.db.database import Database

SPACE = 7318


class Turn:
    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        # PostgreSQL wants a signed 32-bit number.
        self._number = zlib.crc32(name.encode()) - 2**31
        self._connection: Connection | None = None

    def is_mine(self) -> bool:
        """Whether this process has the turn; asked for when nobody has it, lost with the connection to the database."""
        if self._database.is_sqlite:
            return True
        if self._connection is None:
            return self._ask()
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self._let_go()
            return False
        return True

    def give_back(self) -> None:
        if self._connection is not None:
            # The server notices the end of a connection a moment later; who asks next is not to wait for that.
            with suppress(DBAPIError):
                self._connection.execute(
                    text("SELECT pg_advisory_unlock(:space, :number)"), {"space": SPACE, "number": self._number}
                )
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()  # its end frees the lock, whatever state it is in
            self._connection.close()
            self._connection = None

    def _ask(self) -> bool:
        with self._database.translated():
            connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            is_mine = connection.scalar(
                text("SELECT pg_try_advisory_lock(:space, :number)"), {"space": SPACE, "number": self._number}
            )
        if is_mine:
            self._connection = connection
        else:
            connection.close()
        return bool(is_mine)
