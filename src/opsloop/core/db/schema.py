"""The schema's versions: Alembic migrations that expand first and contract later.

SQLAlchemy rows of the slices say what the schema is; `migrations/versions/` says how an installation gets there. A test
compares the two on both databases.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from opsloop.core.errors import Conflict


class SchemaIsNewer(Conflict):
    template = (
        "the state database {where} was written by a newer Opsloop (schema {found}); "
        "install that version, or use another data folder"
    )


def upgrade(engine: Engine, *, where: str) -> None:
    """Bring the schema to the newest version; one process at a time, the others wait for the lock.

    Args:
        where: how the database is called in a sentence.
    """
    config = config_for()
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    with engine.connect() as reader:
        found = MigrationContext.configure(reader).get_current_revision()
    if found == head:
        return
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise SchemaIsNewer(where=where, found=found)
    with engine.connect().execution_options(opsloop_writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7317001)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def downgrade(engine: Engine, to: str) -> None:
    """Bring the schema back to revision `to` (`base` for none): for tests of the migrations."""
    config = config_for()
    with engine.connect().execution_options(opsloop_writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def config_for() -> Config:
    """Alembic's configuration; `attributes` take the connection to migrate."""
    config = Config()
    config.set_main_option("script_location", "opsloop.core.db:migrations")
    return config
