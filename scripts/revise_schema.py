"""Write the next migration from what the slices' tables say: `python scripts/revise_schema.py "Add the sites table"`.

Read the file it writes before it is committed: it expands first (new tables, nullable columns) and contracts in a later
version.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import JSON, MetaData, create_engine

import opsloop
from opsloop.core.db.base import Row, Utc
from opsloop.core.db.schema import config_for


def all_tables() -> MetaData:
    """The tables of every slice: each `_tables` module is imported."""
    for module in pkgutil.walk_packages(opsloop.__path__, "opsloop."):
        if module.name.endswith("._tables"):
            importlib.import_module(module.name)
    return Row.metadata


def render_plainly(kind: str, item: Any, _context: Any) -> str | bool:
    """Migrations name SQLAlchemy's types: ours may change, a migration never does."""
    if kind != "type":
        return False
    if isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, JSON):
        return "sa.JSON().with_variant(JSONB(), 'postgresql')"
    if item.__class__.__name__ in ("BigInteger", "Integer") and getattr(item, "_variant_mapping", None):
        return "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')"
    return False


def main(message: str) -> None:
    config = config_for()
    config.attributes["metadata"] = all_tables()
    config.attributes["render_item"] = render_plainly
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'state.db'}")
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            count = len(list(Path(opsloop.__path__[0], "core/db/migrations/versions").glob("*.py")))
            command.revision(config, message, autogenerate=True, rev_id=f"{count + 1:04d}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
