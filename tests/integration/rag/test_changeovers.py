"""A collection goes over to another embedder: the old vectors serve until the new ones are all there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput, OpsloopError, Unavailable
from opsloop.core.jobs.registry import JobContext
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.models import CollectionStats
from opsloop.rag.vectors import changing_over, embedders, jobs, window_texts
from opsloop.rag.vectors.embedders import EmbedderAway, EmbedderUnsteady
from opsloop.rag.vectors.embedding import embed
from tests.sentence_encoder import write_encoder

VIEWER = Caller("test:viewer", Role.VIEWER)
WORDS = ("cats purr", "dogs bark", "the canteen opens at noon", "a lost laptop", "the kitchen is on the first floor")


@pytest.fixture
def first(tmp_path: Path) -> str:
    return f"onnx:{write_encoder(tmp_path / 'first')}"


@pytest.fixture
def second(tmp_path: Path) -> str:
    return f"onnx:{write_encoder(tmp_path / 'second', seed=1)}"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_texts, "TEXTS_AT_ONCE", 2)


def fill(workspace: Workspace, admin: Caller, embedder: str) -> None:
    with workspace.writing(admin) as uow:
        service.create_collection(uow, "pets", embedder=embedder)
        for number, words in enumerate(WORDS):
            service.upload(uow, "pets", f"{number}.txt", f"{words}.".encode())
    embed(workspace, "pets")


def ask_for(workspace: Workspace, admin: Caller, embedder: str | None) -> CollectionStats:
    with workspace.writing(admin) as uow:
        return service.reindex(uow, "pets", embedder)


def stats(workspace: Workspace) -> CollectionStats:
    with workspace.reading(VIEWER) as uow:
        return service.stats(uow, "pets")


def embedder_of(workspace: Workspace) -> str:
    with workspace.reading(VIEWER) as uow:
        return service.collection(uow, "pets").embedder


def search(workspace: Workspace) -> list[tuple[str, float]]:
    with workspace.reading(VIEWER) as uow:
        return [(one.filename, one.similarity) for one in service.search(uow, "pets", "dogs bark at the gate")]


def going(workspace: Workspace) -> str:
    with workspace.reading(VIEWER) as uow:
        return str(uow.session.execute(text("SELECT id FROM rag_changeovers")).scalar_one())


def left_over(workspace: Workspace) -> int:
    with workspace.reading(VIEWER) as uow:
        return int(uow.session.execute(text("SELECT count(*) FROM rag_changeover_vectors")).scalar_one())


def run(workspace: Workspace, tell: Callable[[int, int], None] = lambda done, total: None) -> None:
    changing_over.change_over(workspace, "pets", going(workspace), tell)


def test_the_old_vectors_serve_until_the_new_ones_are_all_there(
    workspace: Workspace, admin: Caller, first: str, second: str
) -> None:
    fill(workspace, admin, first)
    before = search(workspace)
    asked = ask_for(workspace, admin, second).changeover
    assert asked is not None
    assert (asked.embedder, asked.done, asked.total, asked.error) == (second, 0, 5, None)
    meanwhile = []
    run(workspace, lambda done, total: meanwhile.append((done, search(workspace), embedder_of(workspace))))

    assert [done for done, _, _ in meanwhile] == [0, 2, 4, 5]
    assert all((found, used) == (before, first) for _, found, used in meanwhile)
    after = search(workspace)
    assert after[0][0] == before[0][0] == "1.txt"
    assert after != before
    assert embedder_of(workspace) == second
    assert (stats(workspace).changeover, left_over(workspace)) == (None, 0)


@pytest.mark.parametrize(("old", "new"), [("lsa", "second"), ("first", "lsa"), ("first", "first")])
def test_any_embedder_can_follow_any(
    workspace: Workspace, admin: Caller, request: pytest.FixtureRequest, old: str, new: str
) -> None:
    names = {name: name if name == "lsa" else request.getfixturevalue(name) for name in (old, new)}
    fill(workspace, admin, names[old])
    ask_for(workspace, admin, names[new])
    run(workspace)
    assert embedder_of(workspace) == names[new]
    assert search(workspace)[0][0] == "1.txt"
    with workspace.reading(VIEWER) as uow:
        missing = uow.session.execute(text("SELECT count(*) FROM rag_windows WHERE vector IS NULL")).scalar_one()
    assert missing == 0


def test_documents_that_come_and_go_meanwhile_are_neither_missed_nor_kept(
    workspace: Workspace, admin: Caller, first: str, second: str
) -> None:
    fill(workspace, admin, first)
    ask_for(workspace, admin, second)

    def others(done: int, total: int) -> None:
        with workspace.reading(VIEWER) as uow:
            ids = {each.filename: each.id for each in service.list_documents(uow, "pets")}
        with workspace.writing(admin) as uow:
            if done == 2 and "4.txt" in ids:
                service.delete_document(uow, "pets", ids["4.txt"])
                service.delete_document(uow, "pets", ids["0.txt"])
            if done >= 3 and total < 5:
                service.upload(uow, "pets", f"new {total}.txt", f"A bicycle and {total} cats.".encode())

    run(workspace, others)
    assert (embedder_of(workspace), left_over(workspace)) == (second, 0)
    held = stats(workspace)
    assert held.windows == 5
    assert embed(workspace, "pets") == 0


def test_what_was_made_is_not_made_again_after_a_stop(
    workspace: Workspace, admin: Caller, first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, admin, first)
    ask_for(workspace, admin, second)

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(workspace, stop)
    read: list[str] = []
    real = embedders.embedded

    def counted(embedder: object, texts: list[str], **named: str) -> object:
        read.extend(texts)
        return real(embedder, texts, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(embedders, "embedded", counted)
    run(workspace)
    assert len(read) == 1
    assert embedder_of(workspace) == second


def test_who_asks_later_for_another_embedder_overrules(
    workspace: Workspace, admin: Caller, first: str, second: str
) -> None:
    fill(workspace, admin, "lsa")
    ask_for(workspace, admin, first)
    overruled = going(workspace)
    ask_for(workspace, admin, first)
    assert going(workspace) == overruled
    run_once: list[CollectionStats] = []

    def overrule(done: int, total: int) -> None:
        if done == 2 and not run_once:
            run_once.append(ask_for(workspace, admin, second))

    changing_over.change_over(workspace, "pets", overruled, overrule)
    assert embedder_of(workspace) == "lsa"
    run(workspace)
    assert embedder_of(workspace) == second


def test_an_embedder_of_the_collection_that_is_fitted_ends_a_changeover(
    workspace: Workspace, admin: Caller, first: str
) -> None:
    fill(workspace, admin, "lsa")
    ask_for(workspace, admin, first)
    assert ask_for(workspace, admin, None).changeover is None


def test_a_collection_that_is_deleted_meanwhile_ends_it(
    workspace: Workspace, admin: Caller, first: str, second: str
) -> None:
    fill(workspace, admin, first)
    ask_for(workspace, admin, second)

    def delete(done: int, total: int) -> None:
        if done == 2:
            with workspace.writing(admin) as uow:
                service.delete_collection(uow, "pets")

    run(workspace, delete)
    assert left_over(workspace) == 0


def job_of(workspace: Workspace) -> JobContext:
    return JobContext(workspace, "job", stopping=threading.Event(), progress=lambda *_: None)


def payload(workspace: Workspace, attempt: int) -> dict[str, object]:
    return {"collection": "pets", "changeover": going(workspace), "attempt": attempt}


def test_an_embedder_that_stays_away_leaves_all_as_it_was_and_says_why(
    workspace: Workspace, admin: Caller, first: str, tmp_path: Path
) -> None:
    fill(workspace, admin, first)
    before = search(workspace)
    ask_for(workspace, admin, f"onnx:{tmp_path / 'gone'}")
    jobs.change_over(job_of(workspace), payload(workspace, 1))
    changeover = stats(workspace).changeover
    assert changeover is not None
    assert changeover.error is None

    with pytest.raises(EmbedderAway):
        jobs.change_over(job_of(workspace), payload(workspace, len(jobs.DELAYS_S) + 1))
    changeover = stats(workspace).changeover
    assert changeover is not None
    assert "cannot be used" in str(changeover.error)
    assert (search(workspace), embedder_of(workspace)) == (before, first)
    ask_for(workspace, admin, first)
    run(workspace)
    assert stats(workspace).changeover is None


def test_an_embedder_that_changes_in_the_middle_is_given_up_at_once(
    workspace: Workspace, admin: Caller, first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, admin, first)
    ask_for(workspace, admin, second)
    spaces = iter(["a-16", "b-16"])
    monkeypatch.setattr(embedders, "space_of", lambda *_: next(spaces))
    with pytest.raises(EmbedderUnsteady):
        jobs.change_over(job_of(workspace), payload(workspace, 1))
    changeover = stats(workspace).changeover
    assert changeover is not None
    assert "vectors of a-16 at first and of b-16 later" in str(changeover.error)
    assert (embedder_of(workspace), left_over(workspace)) == (first, 0)


def test_who_names_an_embedder_that_is_away_hears_of_it(workspace: Workspace, admin: Caller, tmp_path: Path) -> None:
    fill(workspace, admin, "lsa")
    with pytest.raises(Unavailable, match="cannot be used"):
        service.check_reachable(workspace, admin, "pets", f"onnx:{tmp_path}")
    with pytest.raises(InvalidInput, match="wanted lsa, onnx:FOLDER or openai:MODEL"):
        service.check_reachable(workspace, admin, "pets", "word2vec")
    with pytest.raises(OpsloopError):
        service.check_reachable(workspace, VIEWER, "pets", "lsa")
