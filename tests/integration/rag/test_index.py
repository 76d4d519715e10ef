"""The index in memory follows the collection by what changed, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event, text

from opsloop.core.caller import Caller, Role
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag import service
from opsloop.rag.index import memory

VIEWER = Caller("test:viewer", Role.VIEWER)


def write(workspace: Workspace, by: Caller, change: Callable[[UnitOfWork], object]) -> None:
    with workspace.writing(by) as uow:
        change(uow)


def filenames(workspace: Workspace, question: str, **options: object) -> list[str]:
    with workspace.reading(VIEWER) as uow:
        return [found.filename for found in service.search(uow, "handbook", question, **options)]  # type: ignore[arg-type]


def uploading(name: str, words: str) -> Callable[[UnitOfWork], object]:
    return lambda uow: service.upload(uow, "handbook", name, words.encode())


@pytest.fixture
def large(workspace: Workspace, admin: Caller) -> Workspace:
    """A collection of sixty documents that has been asked once."""

    def fill(uow: UnitOfWork) -> None:
        for number in range(60):
            uploading(f"{number}.txt", f"Room {number} holds projector{number}.")(uow)
        service.reindex(uow, "handbook")

    write(workspace, admin, fill)
    assert filenames(workspace, "projector7")[0] == "7.txt"
    return workspace


def test_an_upload_reads_what_is_new_and_nothing_else(
    large: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the index was built from the beginning")

    monkeypatch.setattr("opsloop.rag.searching.stored.build", never)
    write(large, admin, uploading("canteen.txt", "The canteen opens at noon."))
    assert filenames(large, "canteen")[0] == "canteen.txt"
    with large.reading(VIEWER) as uow:
        (first,) = [one for one in service.list_documents(uow, "handbook") if one.filename == "7.txt"]
    write(large, admin, lambda uow: service.delete_document(uow, "handbook", first.id))
    assert "7.txt" not in filenames(large, "projector7")
    assert filenames(large, "projector8")[0] == "8.txt"


def test_the_newest_document_deleted_and_another_uploaded_are_told_apart(large: Workspace, admin: Caller) -> None:
    """SQLite gives the numbers of the rows that were written last again."""
    write(large, admin, uploading("canteen.txt", "The canteen opens at noon."))
    assert filenames(large, "canteen")[0] == "canteen.txt"
    with large.reading(VIEWER) as uow:
        (newest,) = [one for one in service.list_documents(uow, "handbook") if one.filename == "canteen.txt"]
    write(large, admin, lambda uow: service.delete_document(uow, "handbook", newest.id))
    write(large, admin, uploading("kitchen.txt", "The kitchen has no window."))
    assert "kitchen.txt" not in filenames(large, "canteen")
    assert filenames(large, "kitchen")[0] == "kitchen.txt"


def test_a_collection_made_again_under_its_name_is_another(large: Workspace, admin: Caller) -> None:
    write(large, admin, lambda uow: service.delete_collection(uow, "handbook"))
    for number in range(60):
        write(large, admin, uploading(f"new{number}.txt", f"Bicycle {number} is lent at gate{number}."))
    assert filenames(large, "projector7") == []
    assert filenames(large, "gate7")[0] == "new7.txt"


def test_a_document_rolled_back_after_a_search_leaves_no_trace_for_the_next(large: Workspace, admin: Caller) -> None:
    def upload_and_fail(uow: UnitOfWork) -> None:
        uploading("canteen.txt", "The canteen opens at noon.")(uow)
        assert service.search(uow, "handbook", "canteen")[0].filename == "canteen.txt"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(large, admin, upload_and_fail)
    write(large, admin, uploading("kitchen.txt", "The kitchen has no window."))
    assert filenames(large, "canteen") == []
    assert filenames(large, "kitchen")[0] == "kitchen.txt"


def test_filters_see_documents_that_came_after_they_were_first_asked(large: Workspace, admin: Caller) -> None:
    only = {"filename": ["canteen.txt", "7.txt"]}
    assert filenames(large, "projector7 canteen", filters=only) == ["7.txt"]
    write(large, admin, uploading("canteen.txt", "The canteen opens at noon."))
    assert set(filenames(large, "projector7 canteen", filters=only)) == {"7.txt", "canteen.txt"}


def test_ranking_by_ranks_and_by_words_find_too(large: Workspace) -> None:
    for ranking in ("fused", "ranks", "words"):
        assert filenames(large, "projector7", ranking=ranking)[0] == "7.txt"


def test_an_index_is_a_few_parts_after_many_uploads(
    large: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[int] = []
    real = memory.assembled

    def noting(*arguments: object) -> memory.BuiltIndex:
        index = real(*arguments)  # type: ignore[arg-type]
        parts.append(len(index.parts))
        return index

    monkeypatch.setattr(memory, "assembled", noting)
    for number in range(12):
        write(large, admin, uploading(f"late{number}.txt", f"Late {number} says late{number}."))
        assert filenames(large, f"late{number}")[0] == f"late{number}.txt"
    assert max(parts) <= 2


def test_every_document_has_the_revision_of_its_change(large: Workspace) -> None:
    with large.reading(VIEWER) as uow:
        missing = uow.session.execute(text("SELECT count(*) FROM rag_documents WHERE revision IS NULL")).scalar_one()
    assert missing == 0


def test_a_search_asks_the_database_twice_and_finds_what_it_found_before(large: Workspace) -> None:
    statements: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(large.database.engine, "before_cursor_execute", heard)
    found = filenames(large, "projector9")
    event.remove(large.database.engine, "before_cursor_execute", heard)
    assert found[0] == "9.txt"
    assert [statement.split("FROM ")[1].split()[0] for statement in statements] == ["rag_collections", "rag_chunks"]


def test_a_search_inside_a_change_sees_it_before_it_is_written(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        uploading("7.txt", "Room 7 holds a projector.")(uow)
        service.weigh(uow, "handbook", 0.0)
        assert [one.filename for one in service.search(uow, "handbook", "projector")] == ["7.txt"]
