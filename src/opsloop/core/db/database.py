"""One database: its engine, its transactions, its schema.

Where SQLite and PostgreSQL differ, this module knows: a writing transaction takes SQLite's write lock at its start
(`BEGIN IMMEDIATE`), because a read that later turns into a write fails at once instead of waiting, and threads of one
process stand in line for it; PostgreSQL takes row locks as it goes. A reading transaction asks PostgreSQL for one
snapshot (`REPEATABLE READ`), which SQLite gives anyway.
Services never commit: the transaction belongs to whoever opened it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from opsloop.core.db import erasing
from opsloop.core.db.line import Line, TurnNotCome
from opsloop.core.errors import Failed, InvalidInput, OpsloopError, Unavailable

BUSY_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 10
PING_AFTER_S = 1.0
"""A connection that lay idle for so long is asked whether the server still knows it before it is used."""
_USED = "opsloop.used_at"
# Threads of the API, of flows and of the jobs each hold one while they read.
_POOL = {"pool_size": 16, "max_overflow": 32}
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
# What SQLite says of a file that something else wrote into.
_DAMAGED = ("malformed", "not a database", "unsupported file format", "could not decode to utf-8", "no such table")


class DatabaseCorrupt(Failed):
    template = (
        "the state database {where} is damaged ({reason}); restore it from a backup, "
        "or move it away, with its -wal and -shm files, to start with an empty one"
    )


class DatabaseLocked(Unavailable):
    template = "the state database {where} is kept locked by another writer; try again, or stop what holds it"


class DatabaseAway(Unavailable):
    template = (
        "the state database {where} cannot be reached: {reason}; see that it is there and that this user may use it"
    )


class DatabaseBusy(Unavailable):
    template = "the state database {where} has no free connection for this process; try again in a moment"


class DatabaseFull(Unavailable):
    template = "the state database {where} cannot grow: the disk is full; free some space and try again"


class Database:
    """An open state database. Threads may share it; each transaction has its own connection."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except Exception as error:
            raise InvalidInput(
                field="database_url", value=url.partition("://")[0], wanted="sqlite:///FILE or postgresql://…"
            ) from error
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername not in _DRIVERS:
            raise InvalidInput(field="database_url", value=parsed.drivername, wanted="sqlite:///FILE or postgresql://…")
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            # Each connection of the pool would see a database of its own.
            raise InvalidInput(field="database_url", value=url, wanted="sqlite:///FILE with a file")
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.where = parsed.database if self.is_sqlite else parsed.render_as_string(hide_password=True)
        self.engine: Engine = self._sqlite() if self.is_sqlite else self._postgresql()
        snapshots = self.engine if self.is_sqlite else self.engine.execution_options(**_SNAPSHOT)
        self._held: _Held | None = None
        self._line = Line()
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(snapshots, expire_on_commit=False)

    def _postgresql(self) -> Engine:
        named = "connect_timeout" in self.url.query
        more = {} if named else {"connect_timeout": CONNECT_TIMEOUT_S}
        engine = create_engine(self.url, connect_args=more, **_POOL)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_refuse_dead, engine.dialect))
        return engine

    def _sqlite(self) -> Engine:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseAway(where=self.where, reason=error.strerror) from error
        connecting = {} if "timeout" in self.url.query else {"timeout": BUSY_TIMEOUT_S}
        engine = create_engine(self.url, connect_args=connecting, json_deserializer=self._from_json, **_POOL)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @property
    def _file(self) -> Path:
        return Path(self.url.database or "")

    def _from_json(self, stored: str) -> Any:
        try:
            return json.loads(stored)
        except ValueError as error:
            raise DatabaseCorrupt(where=self.where, reason="a stored value is not JSON any more") from error

    def refuse_emptied(self) -> None:
        """SQLite takes a file without a byte for a new database. Raises: DatabaseCorrupt when there is one."""
        if self.is_sqlite and self._file.exists() and self._file.stat().st_size == 0:
            raise DatabaseCorrupt(where=self.where, reason="the file is empty")

    def _refuse_removed(self) -> None:
        """SQLite would go on writing into a file that nobody can find again. Raises: DatabaseAway."""
        if self._held is not None and self._held.is_gone():
            raise DatabaseAway(where=self.where, reason="its file was moved or removed while it was in use")

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that may write; committed when the block ends well, rolled back otherwise."""
        self._refuse_removed()
        with self.translated(), self._turn(), self._sessions() as session:
            session.connection(execution_options={"opsloop_writes": True})
            yield session
            session.commit()

    def _turn(self) -> AbstractContextManager[None]:
        return self._line.turn(BUSY_TIMEOUT_S) if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads; it sees one consistent state, and nothing of it is kept."""
        self._refuse_removed()
        with self.translated(), self._readers() as session:
            yield session
            if not self.is_sqlite:
                # The driver forgets its prepared statements when a transaction is rolled back: every read would be
                # planned anew. Nothing is written: objects are let go first, and PostgreSQL refuses to write here.
                session.expunge_all()
                session.commit()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """What a driver raises inside, as an error of ours."""
        try:
            yield
        except OpsloopError:
            raise
        except DBAPIError as error:
            raise self.sentence_for(error) or error from error
        except TurnNotCome as error:
            raise DatabaseLocked(where=self.where) from error
        except NoConnectionInTime as error:
            raise DatabaseBusy(where=self.where) from error
        except OverflowError as error:  # SQLite's driver; PostgreSQL's says DataError
            raise InvalidInput("the state database cannot hold a number as large as one that was sent") from error
        except UnicodeEncodeError as error:
            raise InvalidInput("the state database cannot hold text with lone surrogates, and some was sent") from error

    def sentence_for(self, error: DBAPIError) -> OpsloopError | None:
        """The error of ours that a driver's error stands for, or None when it is a defect of the program."""
        reason = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        if isinstance(error.orig, sqlite3.DatabaseError):
            if "locked" in reason or "busy" in reason:
                return DatabaseLocked(where=self.where)
            if any(said in reason.lower() for said in _DAMAGED):
                return DatabaseCorrupt(where=self.where, reason=reason)
            if "disk is full" in reason:
                return DatabaseFull(where=self.where)
            if "unable to open" in reason or "readonly" in reason or "disk I/O" in reason:
                return DatabaseAway(where=self.where, reason=reason)
            return None
        if isinstance(error, DataError):
            return InvalidInput(f"the state database cannot hold a value that was sent: {reason}")
        if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
            return DatabaseAway(where=self.where, reason=reason)
        return None

    def upgrade(self) -> None:
        """Bring the schema to this version's head."""
        with self.translated():
            if self.revision() != newest_revision():
                from opsloop.core.db.schema import upgrade  # Alembic costs 0.4 s and 11 MB; most starts change nothing

                upgrade(self.engine, where=str(self.where))
        if self.is_sqlite:
            self._held = _Held(self._file)

    def revision(self) -> str | None:
        """The schema's revision; None for an empty database."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return None if found is None else str(found)

    def check(self) -> None:
        """One round trip that reads something stored. Raises: Unavailable or DatabaseCorrupt."""
        with self.reading() as session:
            session.connection().exec_driver_sql("SELECT version_num FROM alembic_version")

    def examine(self) -> None:
        """Look at all that is stored, where the database can be damaged from outside. Raises: DatabaseCorrupt."""
        if self.is_sqlite:
            with self.reading() as session:
                found = session.connection().exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if found != "ok":
                raise DatabaseCorrupt(where=self.where, reason=found)

    def owe_erasure(self, session: Session) -> None:
        """Within a transaction that deletes what must be nowhere in the database's files: `erase_deleted` follows.

        PostgreSQL's vacuum and log have their own times, which an administrator sets.
        """
        if self.is_sqlite:
            erasing.owe(_raw(session.connection()))

    def erase_deleted(self) -> bool:
        """Rewrite the file when that is owed; False when a reader needs the log's old pages, for now."""
        if not self.is_sqlite:
            return True
        with self.translated(), self.engine.connect() as connection:
            erasing.rewrite(_raw(connection))
            return erasing.cut_log(_raw(connection))

    def cut_log(self) -> bool:
        """Let go of old pages that the write-ahead log still holds; False when a reader needs them, for now."""
        if not self.is_sqlite:
            return True
        with self.translated(), self.engine.connect() as connection:
            return erasing.cut_log(_raw(connection))

    def close(self) -> None:
        self.engine.dispose()
        if self._held is not None:
            self._held.let_go()
            self._held = None


class _Held:
    """A file that is in use, and whether it is still where it was."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # O_PATH, because closing any other descriptor of the file would drop SQLite's locks on it (POSIX).
        self._handle = os.open(file, os.O_PATH) if hasattr(os, "O_PATH") else None

    def is_gone(self) -> bool:
        if self._handle is not None and os.fstat(self._handle).st_nlink == 0:
            return True  # another file may have its name by now
        return not self._file.exists()

    def let_go(self) -> None:
        if self._handle is not None:
            os.close(self._handle)


def newest_revision() -> str:
    """This version's newest migration: their files are named by revision, `0001_initial.py`."""
    folder = Path(__file__).parent / "migrations" / "versions"
    return max(file.name.split("_")[0] for file in folder.glob("[0-9]*.py"))


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED] = time.monotonic()


def _refuse_dead(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Ask a connection that lay idle whether it still is one; the pool makes another when it is not.

    One that was in use a moment ago is not asked: for a short read that is a fifth of its round trips.
    """
    used_at = record.info.get(_USED)
    if used_at is None or time.monotonic() - used_at < PING_AFTER_S:
        return
    try:
        is_alive = dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error:
        is_alive = False
    if not is_alive:
        raise DisconnectionError


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` decides which kind begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a committed transaction survives power loss, not only a killed process.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # What is deleted is overwritten with zeros: a document's text must not stay in the file's free space.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _raw(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("opsloop_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
