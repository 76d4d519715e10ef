"""The migrations give exactly the tables that the slices declare, on both databases, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from opsloop.core.db.database import Database
from opsloop.core.db.schema import SchemaIsNewer, downgrade
from scripts.revise_schema import all_tables


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Database:
    return Database(database_url)


def test_an_upgraded_database_has_the_declared_tables(database: Database) -> None:
    database.upgrade()
    tables = all_tables()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            difference
            for difference in compare_metadata(context, tables)
            if difference[0] != "remove_table" or "_fts" not in difference[1].name
        ]
    database.close()
    assert differences == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    database.upgrade()
    database.upgrade()
    database.close()


def test_a_downgrade_to_the_start_leaves_no_table_of_ours(database: Database) -> None:
    database.upgrade()
    downgrade(database.engine, "base")
    left = [name for name in inspect(database.engine).get_table_names() if name != "alembic_version"]
    database.close()
    assert left == []


def test_a_schema_of_a_newer_version_is_refused_with_a_sentence(database: Database) -> None:
    database.upgrade()
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaIsNewer, match="written by a newer Opsloop"):
        database.upgrade()
    database.close()


def test_scores_of_live_answers_keep_their_order_when_they_are_numbered(database: Database) -> None:
    database.upgrade()
    downgrade(database.engine, "0051")
    given = "INSERT INTO live_scores VALUES ('chat', :request, 'quality', 'polite', 0.5, true, :at, 'system:scoring')"
    with database.writing() as session:
        for request, at in (("later", "2027-03-02 10:00:00+00:00"), ("sooner", "2027-03-01 10:00:00+00:00")):
            session.execute(text(given), {"request": request, "at": at})
    database.upgrade()
    with database.writing() as session:
        found = session.execute(text("SELECT request_id, value FROM live_scores ORDER BY seq")).all()
    database.close()
    assert [tuple(each) for each in found] == [("sooner", 0.5), ("later", 0.5)]
