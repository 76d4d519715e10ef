"""The state database: what a reading transaction sees, and how its refusals are told."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from opsloop.core.caller import Caller
from opsloop.core.db.database import DatabaseBusy
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs import service
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
