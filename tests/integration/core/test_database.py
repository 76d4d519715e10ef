"""The state database: what a reading transaction sees, and how its refusals are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import InternalError
from sqlalchemy.orm import sessionmaker

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller
from opsloop.core.db.database import Database, DatabaseAway, DatabaseBusy, DatabaseCorrupt
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs import service
from opsloop.core.jobs._tables import JobRow
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace


def test_a_reading_transaction_sees_one_state_whatever_is_committed_meanwhile(
    workspace: Workspace, admin: Caller
) -> None:
    with workspace.reading(admin) as uow:
        assert service.listed(uow) == []
        with workspace.writing(admin) as other:
            service.enqueue(other, "test.kind", {})
        assert service.listed(uow) == []
    with workspace.reading(admin) as uow:
        assert len(service.listed(uow)) == 1


def test_a_writing_transaction_sees_what_others_committed_before_it_took_its_lock(
    workspace: Workspace, admin: Caller
) -> None:
    with workspace.writing(admin) as uow:
        service.enqueue(uow, "test.kind", {}, id="one")
    with workspace.writing(admin) as uow:
        assert service.enqueue(uow, "test.kind", {}, id="one").id == "one"


def test_text_that_no_database_can_hold_is_refused_as_bad_input(workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="lone surrogates"), workspace.reading(admin) as uow:
        service.get(uow, "job \ud800")


def test_a_number_that_no_database_can_hold_is_refused_as_bad_input(workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="the state database cannot hold"), workspace.reading(admin) as uow:
        audit.listed(uow, before=10**30)


def test_nothing_of_a_reading_transaction_is_kept(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        service.enqueue(uow, "test.kind", {}, id="one")
    with workspace.reading(admin) as uow:
        row = uow.session.get_one(JobRow, "one")
        row.kind = "test.other"
    with workspace.reading(admin) as uow:
        assert service.get(uow, "one").kind == "test.kind"


def test_postgresql_keeps_its_plans_between_reading_transactions_and_refuses_to_write_in_them(
    postgres_url: str, tmp_path: Path, admin: Caller
) -> None:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path, database_url=postgres_url))
    for _ in range(10):
        with workspace.reading(admin) as uow:
            assert service.listed(uow) == []
    with workspace.reading(admin) as uow:
        kept = uow.session.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert any("FROM jobs" in " ".join(each.split()) for each in kept)
    with pytest.raises(InternalError, match="read-only transaction"), workspace.reading(admin) as uow:
        uow.session.execute(text("DELETE FROM jobs"))
    workspace.close()


def test_a_connection_that_ended_while_it_lay_idle_is_replaced_unseen(
    postgres_url: str, tmp_path: Path, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path, database_url=postgres_url))

    def end_all_others() -> None:
        other = create_engine(workspace.database.url)
        with other.begin() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            assert connection.execute(text(f"{ended} AND datname = current_database()")).all()
        other.dispose()

    with workspace.reading(admin) as uow:
        assert service.listed(uow) == []
    end_all_others()
    with pytest.raises(DatabaseAway, match="cannot be reached"), workspace.reading(admin) as uow:
        service.listed(uow)  # it was in use a moment ago, and nobody asked
    with workspace.reading(admin) as uow:
        assert service.listed(uow) == []
    end_all_others()
    monkeypatch.setattr("opsloop.core.db.database.PING_AFTER_S", 0.0)
    with workspace.reading(admin) as uow:
        assert service.listed(uow) == []
    workspace.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite+aiosqlite:///x", "mysql://x/y"]
)
def test_a_database_that_cannot_hold_the_state_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"database_url: is .*; wanted sqlite:///FILE"):
        Database(url)


def test_stored_json_that_was_damaged_is_told_as_damage(sqlite_workspace: Workspace, admin: Caller) -> None:
    with sqlite_workspace.writing(admin) as uow:
        service.enqueue(uow, "test.kind", {}, id="one")
        uow.session.execute(text("UPDATE jobs SET payload = '{'"))
    with pytest.raises(DatabaseCorrupt, match="not JSON any more"), sqlite_workspace.reading(admin) as uow:
        service.get(uow, "one")


def test_a_page_that_was_overwritten_is_found_when_all_is_looked_at(tmp_path: Path) -> None:
    open_workspace(CoreSettings(data_dir=tmp_path)).close()
    file = tmp_path / "state.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:40_960] + bytes(range(256)) * 16 + whole[45_056:])
    workspace = open_workspace(CoreSettings(data_dir=tmp_path))
    with pytest.raises(DatabaseCorrupt, match="is damaged"):
        workspace.database.examine()
    workspace.close()


def test_a_database_without_a_byte_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    open_workspace(CoreSettings(data_dir=tmp_path)).close()
    (tmp_path / "state.db").write_bytes(b"")
    with pytest.raises(DatabaseCorrupt, match=r"is damaged .the file is empty.; restore it from a backup"):
        open_workspace(CoreSettings(data_dir=tmp_path))


def test_a_first_start_that_was_killed_early_goes_on(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"")
    open_workspace(CoreSettings(data_dir=tmp_path)).close()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_database_whose_file_was_taken_away_takes_nothing_more(
    sqlite_workspace: Workspace, admin: Caller, is_replaced: bool
) -> None:
    file = sqlite_workspace.data_dir / "state.db"
    file.unlink()
    if is_replaced:
        file.touch()
    for block in (sqlite_workspace.reading(admin), sqlite_workspace.writing(admin)):
        with pytest.raises(DatabaseAway, match="its file was moved or removed while it was in use"), block:
            pass


def test_a_database_whose_file_was_moved_and_put_back_goes_on(sqlite_workspace: Workspace, admin: Caller) -> None:
    file = sqlite_workspace.data_dir / "state.db"
    file.rename(file.with_name("elsewhere"))
    with pytest.raises(DatabaseAway):
        sqlite_workspace.database.check()
    file.with_name("elsewhere").rename(file)
    sqlite_workspace.database.check()


def test_a_process_whose_connections_are_all_in_use_is_told_to_try_again(
    sqlite_workspace: Workspace, admin: Caller
) -> None:
    database = sqlite_workspace.database
    one = create_engine(database.url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    database._readers = sessionmaker(one)
    with sqlite_workspace.reading(admin) as uow:
        uow.session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseBusy, match="no free connection"):
            database.check()
    one.dispose()
