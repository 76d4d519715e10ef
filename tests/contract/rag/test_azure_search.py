"""What is particular to Azure AI Search: batches done in part, late searches, hybrid queries. On a scripted server."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.jobs import inline
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.rag import service
from opsloop.rag.stores import jobs as store_jobs
from opsloop.rag.stores.azure_search import AzureSearchStore
from opsloop.rag.stores.port import IN_PART, PassageStore, StoreAway
from tests.azure_search import KEY, AzureSearch
from tests.contract.rag.stores import ALL, CATS, COLLECTION, PETS, asked, document

ADMIN = Caller("test:admin", Role.ADMIN)


def entries(azure_service: AzureSearch, name: str = "opsloop-animals") -> set[str]:
    return set(azure_service.indexes[name].entries)


def test_what_a_busy_service_leaves_over_is_sent_again(azure: PassageStore, azure_service: AzureSearch) -> None:
    azure_service.leaves_over = 3
    azure.write(COLLECTION, ALL)
    assert azure.held(COLLECTION) == {each.id: "first" for each in ALL}
    assert len(entries(azure_service)) == 7
    batches = [len(body["value"]) for _, path, body in azure_service.asked if path.endswith("/docs/index")]
    assert batches[:2] == [3, 3]  # three entries of documents, all left over


def test_a_service_that_stays_busy_is_told(azure: PassageStore, azure_service: AzureSearch) -> None:
    azure_service.leaves_over = 10_000
    with pytest.raises(StoreAway, match="left 3 entries over 6 times"):
        azure.write(COLLECTION, ALL)


def test_an_entry_that_is_refused_for_good_is_told_and_its_document_can_be_removed(
    azure: PassageStore, azure_service: AzureSearch
) -> None:
    odd = document(1, "Cats purr.", "Dogs bark.", vectors=[CATS, (1.0, 0.0)])
    with pytest.raises(StoreAway, match=r"entry doc_0+1-1: The vector field 'vector' has 4 dimensions, 2 came"):
        azure.write(COLLECTION, [odd])
    assert azure.held(COLLECTION) == {odd.id: IN_PART}
    azure.remove(COLLECTION, [odd.id])
    assert entries(azure_service) == set()


def test_too_many_requests_are_made_again_when_the_service_says(azure_service: AzureSearch) -> None:
    paused: list[float] = []
    with httpx.Client(base_url=azure_service.url, headers={"api-key": KEY}, trust_env=False) as client:
        azure = AzureSearchStore(client, prefix="opsloop-", pause=paused.append)
        azure_service.busy = 2
        azure.write(COLLECTION, [PETS])
        assert paused == [0.2, 0.4]
        assert azure.held(COLLECTION) == {PETS.id: "first"}


def test_a_wrong_key_is_told_without_it(azure_service: AzureSearch) -> None:
    with httpx.Client(base_url=azure_service.url, headers={"api-key": "wrong-secret"}, trust_env=False) as client:
        azure = AzureSearchStore(client, prefix="opsloop-", pause=lambda _: None)
        with pytest.raises(StoreAway, match="status 403: Access denied") as told:
            azure.write(COLLECTION, [PETS])
    assert "wrong-secret" not in str(told.value)


def test_writing_ends_when_searches_show_it(azure: PassageStore, azure_service: AzureSearch) -> None:
    azure_service.shows_after = 5
    azure.write(COLLECTION, [PETS])
    assert azure_service.shows_after == 0
    assert azure.held(COLLECTION) == {PETS.id: "first"}


def test_what_never_shows_is_told(azure: PassageStore, azure_service: AzureSearch) -> None:
    azure_service.shows_after = 1_000_000
    with pytest.raises(StoreAway, match="does not show what was written 30 s ago"):
        azure.write(COLLECTION, [PETS])


def test_no_request_has_more_actions_than_the_service_takes(azure: PassageStore, azure_service: AzureSearch) -> None:
    many = document(1, *(f"Sentence {number}." for number in range(1_200)))
    azure.write(COLLECTION, [many])
    assert len(entries(azure_service)) == 1_201
    azure.write(COLLECTION, [document(1, "One sentence.", state="second")])
    assert entries(azure_service) == {many.id, f"{many.id}-0"}


def test_ranks_are_the_services_own_hybrid_query(azure: PassageStore, azure_service: AzureSearch) -> None:
    azure.write(COLLECTION, ALL)
    found = azure.search(COLLECTION, asked("canteen", CATS, weight=0.5, ranking="ranks")).hits
    assert {hit.seq for hit in found} == {100, 101, 200}
    assert found[0].score == 1.0
    [hybrid] = [
        body
        for _, path, body in azure_service.asked
        if path.endswith("/docs/search") and body.get("vectorQueries") and "search" in body
    ]
    assert hybrid["search"] == "canteen"
    [near] = hybrid["vectorQueries"]
    assert (near["kind"], near["fields"], near["weight"]) == ("vector", "vector", 1.0)
    assert hybrid["vectorFilterMode"] == "preFilter"


def test_names_that_no_index_may_have_are_told_apart(azure: PassageStore, azure_service: AzureSearch) -> None:
    for name in ("a_b", "a-b", "a--b", "a-b-"):
        azure.write(name, [document(1, f"Cats of {name}.")])
    assert len(azure_service.indexes) == 4
    assert "opsloop-a-b" in azure_service.indexes
    azure.drop("a_b")
    assert len(azure_service.indexes) == 3


def test_a_collection_is_searched_there_and_a_service_that_is_away_is_told(
    azure_service: AzureSearch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store_jobs  # imported: it registers what runs here
    monkeypatch.setenv("OPSLOOP_RAG_STORE", "azure-search")
    monkeypatch.setenv("OPSLOOP_RAG_AZURE_SEARCH_URL", azure_service.url)
    monkeypatch.setenv("OPSLOOP_RAG_AZURE_SEARCH_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    try:
        with workspace.writing(ADMIN) as uow:
            text = b"Quarterly earnings were up 25% YoY. The canteen opens at noon."
            uploaded = service.upload(uow, "reports", "q3.txt", text, metadata={"year": "2026"})
        inline.run_due(workspace, kind="rag.copy")
        with workspace.reading(ADMIN) as uow:
            answer = service.query(uow, "reports", "How much were quarterly earnings up?", filters={"year": "2026"})
            nothing = service.find(uow, "reports", "earnings", filters={"year": "2025"})
        assert (answer.note, nothing.note, nothing.passages) == (None, None, ())
        assert "25%" in answer.answer
        azure_service.indexes.clear()
        with workspace.reading(ADMIN) as uow:
            assert service.find(uow, "reports", "earnings").passages == ()
        azure_service.busy = 1_000
        monkeypatch.setattr("opsloop.rag.stores.azure_search.TRIES", 1)
        monkeypatch.setattr("opsloop.rag.stores.azure_search.FIRST_PAUSE_S", 0.0)
        with workspace.reading(ADMIN) as uow:
            found = service.find(uow, "reports", "earnings")
        assert [each.document_id for each in found.passages] == [uploaded.document_id]
        assert found.note == (
            "the store azure-search cannot be used: status 429: Too many requests.; the embedded index was searched"
        )
    finally:
        workspace.close()
