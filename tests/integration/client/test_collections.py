"""Collections as `opsloop.yaml` declares them, against a real platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client import apply, plan, project
from opsloop.client.collections import StoreDiffers
from opsloop.client.http import Client
from opsloop.core.errors import OpsloopError
from opsloop.rag.models import Collection

SOURCE = "source: leave.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "leave.md").write_text("Leave is thirty days a year. It is asked for two weeks before.")
    return tmp_path


def declare(folder: Path, *keys: str) -> None:
    (folder / "opsloop.yaml").write_text(f"collections: {{people: {{{', '.join((SOURCE, *keys))}}}}}\n")


def says(client: Client, folder: Path) -> str:
    (step,) = plan.make(client, project.load(folder)).steps
    return f"{step.action}: {step.says}"


def applied(client: Client, folder: Path) -> Collection:
    wanted = project.load(folder)
    list(apply.perform(client, wanted, plan.make(client, wanted)))
    (found,) = client.documents.collections()
    return found


def test_a_collection_is_made_as_it_is_declared(client: Client, folder: Path) -> None:
    declare(
        folder,
        "chunking: words-500",
        "vector_weight: 0",
        "min_support: 0.4",
        "readers: [role:operator, key:ci]",
        "writers: [key:hr]",
        "retention_days: 365",
    )
    found = applied(client, folder)
    assert (found.chunking, found.vector_weight, found.min_support) == ("words-500", 0.0, 0.4)
    assert (found.readers, found.writers) == (("key:ci", "role:operator"), ("key:hr",))
    assert found.retention_days == 365
    assert says(client, folder) == "keep: 1 document as wanted"


def test_what_differs_is_told_changed_and_audited_once(client: Client, folder: Path) -> None:
    declare(folder)
    applied(client, folder)
    declare(folder, "chunking: words-500", "retention_days: 30", "readers: [key:ci]")
    assert says(client, folder) == "change: gets other chunking and retention and readers"

    found = applied(client, folder)
    assert (found.chunking, found.retention_days, found.readers) == ("words-500", 30, ("key:ci",))
    assert found.writers is None
    assert says(client, folder) == "keep: 1 document as wanted"
    actions = [each.action for each in client.audit.listed()]
    assert actions.count("collection.recut") == actions.count("collection.access_given") == 1
    assert "collection.weighed" not in actions


def test_what_is_not_declared_is_left_alone_and_null_is_the_usual(client: Client, folder: Path) -> None:
    declare(folder)
    applied(client, folder)
    client.documents.retain("people", 7)
    client.documents.give_access("people", readers=["key:ci"], writers=["key:hr"])
    assert says(client, folder) == "keep: 1 document as wanted"

    declare(folder, "retention_days: null", "readers: null")
    found = applied(client, folder)
    assert (found.retention_days, found.readers, found.writers) == (None, None, ("key:hr",))


def test_documents_and_values_change_in_one_step(client: Client, folder: Path) -> None:
    declare(folder)
    applied(client, folder)
    (folder / "leave.md").write_text("Leave is forty days a year.")
    declare(folder, "min_support: 0.2")
    assert says(client, folder) == "change: 1 document new, 1 superseded; gets other threshold"
    assert applied(client, folder).min_support == 0.2


def test_a_store_is_chosen_at_the_start_alone(client: Client, folder: Path) -> None:
    declare(folder, "store: embedded")
    assert applied(client, folder).store == "embedded"
    declare(folder, "store: pgvector")
    with pytest.raises(StoreDiffers, match="'people' is searched in embedded"):
        says(client, folder)


def test_another_embedder_is_told_and_one_that_is_away_changes_nothing(client: Client, folder: Path) -> None:
    declare(folder, "embedder: lsa")
    applied(client, folder)
    declare(folder, "embedder: openai:text-embedding-3-small")
    assert says(client, folder) == "change: gets other embedder"
    with pytest.raises(OpsloopError, match="OPSLOOP_LLM_BASE_URL"):
        applied(client, folder)
    (found,) = client.documents.collections()
    assert found.embedder == "lsa"
