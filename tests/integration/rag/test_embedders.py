"""Collections with an encoder or a server for an embedder: vectors after the documents, never mixed, never a must."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs.registry import JobContext
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.vectors import jobs as embedding_jobs
from opsloop.rag.vectors.changing_over import change_over
from opsloop.rag.vectors.embedders import EmbedderAway, EmbedderDiffers
from opsloop.rag.vectors.embedding import embed
from opsloop.testing.model_server import ModelServer
from tests.sentence_encoder import write_encoder

VIEWER = Caller("test:viewer", Role.VIEWER)
DOCUMENTS = {
    "pets.txt": "Cats purr on the sofa and dogs bark at the gate.",
    "canteen.txt": "The canteen opens at noon on the first floor.",
    "laptop.txt": "A lost laptop must be reported within an hour.",
}


def fill(workspace: Workspace, admin: Caller, embedder: str) -> None:
    with workspace.writing(admin) as uow:
        service.create_collection(uow, "handbook", embedder=embedder)
        for name, words in DOCUMENTS.items():
            service.upload(uow, "handbook", name, words.encode())


def found(workspace: Workspace, question: str, **options: object) -> list[tuple[str, float]]:
    with workspace.reading(VIEWER) as uow:
        passages = service.search(uow, "handbook", question, **options)  # type: ignore[arg-type]
    return [(one.filename, one.similarity) for one in passages]


def without_vector(workspace: Workspace) -> int:
    with workspace.reading(VIEWER) as uow:
        return int(uow.session.execute(text("SELECT count(*) FROM rag_windows WHERE vector IS NULL")).scalar_one())


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return write_encoder(tmp_path / "encoder")


def test_documents_are_found_by_words_at_once_and_by_vectors_when_they_are_made(
    workspace: Workspace, admin: Caller, encoder: Path
) -> None:
    fill(workspace, admin, f"onnx:{encoder}")
    ((first, similarity),) = found(workspace, "canteen")
    assert (first, similarity) == ("canteen.txt", 0.0)
    assert embed(workspace, "handbook") == 3
    assert without_vector(workspace) == 0
    first, similarity = found(workspace, "When is the canteen open at noon?")[0]
    assert first == "canteen.txt"
    assert 0 < similarity <= 1
    assert embed(workspace, "handbook") == 0


def test_an_upload_asks_for_the_vectors_it_needs(workspace: Workspace, admin: Caller, encoder: Path) -> None:
    fill(workspace, admin, f"onnx:{encoder}")
    with workspace.reading(VIEWER) as uow:
        kinds = uow.session.execute(text("SELECT kind FROM jobs")).scalars().all()
    assert "rag.embed" in kinds


def test_an_encoder_that_is_gone_is_told_and_words_still_find(
    workspace: Workspace, admin: Caller, encoder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(encoder, folder)
    fill(workspace, admin, f"onnx:{folder}")
    embed(workspace, "handbook")
    with workspace.writing(admin) as uow:
        uow.session.execute(text("UPDATE rag_collections SET embedder = :away"), {"away": f"onnx:{tmp_path}/away"})
    with pytest.raises(EmbedderAway, match=r"collection 'handbook' needs the embedder .* ranking `words`"):
        found(workspace, "canteen")
    assert found(workspace, "canteen", ranking="words")[0][0] == "canteen.txt"


def test_vectors_of_two_encoders_never_mix(workspace: Workspace, admin: Caller, encoder: Path, tmp_path: Path) -> None:
    fill(workspace, admin, f"onnx:{encoder}")
    embed(workspace, "handbook")
    other = write_encoder(tmp_path / "other", seed=1)
    with workspace.writing(admin) as uow:
        uow.session.execute(text("UPDATE rag_collections SET embedder = :other"), {"other": f"onnx:{other}"})
        service.upload(uow, "handbook", "kitchen.txt", b"The kitchen is on the first floor.")
    with pytest.raises(EmbedderDiffers, match="re-index the collection"):
        embed(workspace, "handbook")
    with pytest.raises(EmbedderDiffers, match="re-index the collection"):
        found(workspace, "kitchen")
    with workspace.writing(admin) as uow:
        service.reindex(uow, "handbook")
        changeover = uow.session.execute(text("SELECT id FROM rag_changeovers")).scalar_one()
    change_over(workspace, "handbook", changeover, lambda done, total: None)
    assert found(workspace, "kitchen")[0][0] == "kitchen.txt"


def test_an_embedder_of_no_known_kind_is_refused(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow, pytest.raises(InvalidInput, match="wanted lsa, onnx:FOLDER or openai:MODEL"):
        service.create_collection(uow, "handbook", embedder="word2vec")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def test_a_server_embeds_documents_and_questions(tmp_path: Path, admin: Caller, server: ModelServer) -> None:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data", llm_base_url=server.base_url))
    try:
        fill(workspace, admin, "openai:small")
        assert embed(workspace, "handbook") == 3
        first, similarity = found(workspace, "The canteen opens at noon")[0]
        assert first == "canteen.txt"
        assert similarity > 0.5
        assert [call.model for call in server.calls] == ["small", "small"]
    finally:
        workspace.close()


def test_a_server_that_is_not_set_is_told(sqlite_workspace: Workspace, admin: Caller) -> None:
    fill(sqlite_workspace, admin, "openai:small")
    with pytest.raises(EmbedderAway, match="OPSLOOP_LLM_BASE_URL"):
        embed(sqlite_workspace, "handbook")
    assert found(sqlite_workspace, "canteen")[0][0] == "canteen.txt"


def job_of(workspace: Workspace) -> JobContext:
    return JobContext(workspace, "job_1", stopping=threading.Event(), progress=lambda *_: None)


def test_the_job_makes_the_vectors_that_are_missing(sqlite_workspace: Workspace, admin: Caller, encoder: Path) -> None:
    fill(sqlite_workspace, admin, f"onnx:{encoder}")
    embedding_jobs.embed(job_of(sqlite_workspace), {"collection": "handbook"})
    assert without_vector(sqlite_workspace) == 0


def test_the_job_asks_for_another_try_until_there_were_enough(sqlite_workspace: Workspace, admin: Caller) -> None:
    fill(sqlite_workspace, admin, "openai:small")
    embedding_jobs.embed(job_of(sqlite_workspace), {"collection": "handbook"})
    with sqlite_workspace.reading(VIEWER) as uow:
        again = uow.session.execute(text("SELECT payload FROM jobs WHERE id = 'job_1_2'")).scalar_one()
    assert '"attempt": 2' in str(again) or "'attempt': 2" in str(again)
    last = {"collection": "handbook", "attempt": len(embedding_jobs.DELAYS_S) + 1}
    with pytest.raises(EmbedderAway, match="OPSLOOP_LLM_BASE_URL"):
        embedding_jobs.embed(job_of(sqlite_workspace), last)
