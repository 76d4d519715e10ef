"""What is particular to DynamoDB and S3: the layout, the limits, what a process reads again. On a real moto server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from opsloop.core.caller import Caller, Role
from opsloop.core.jobs import inline
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.rag import service
from opsloop.rag.stores import jobs as store_jobs
from opsloop.rag.stores.port import IN_PART, PassageStore, StoreAway
from tests.contract.rag.stores import ALL, CATS, COLLECTION, PETS, asked, document

# As if the copy had been made before the server went away.
_CURRENT = """
    UPDATE rag_collections SET store_holds = lineage || ':' || revision || ':' || (SELECT identity FROM rag_embedders)
"""
ADMIN = Caller("test:admin", Role.ADMIN)


class Counted:
    """boto3's client of DynamoDB; it notes queries, and may leave items of a batch over as a busy table does."""

    def __init__(self, client: Any, *, leaves_over: int = 0) -> None:
        self._client = client
        self.leaves_over = leaves_over
        self.queried: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **asked: Any) -> Any:
        self.queried.append(asked["ExpressionAttributeValues"].get(":beginning", {}).get("S", "*"))
        return self._client.query(**asked)

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> Any:
        if not self.leaves_over:
            return self._client.batch_write_item(RequestItems=RequestItems)
        self.leaves_over -= 1
        [(table, requests)] = RequestItems.items()
        if requests[1:]:
            self._client.batch_write_item(RequestItems={table: requests[1:]})
        return {"UnprocessedItems": {table: requests[:1]}}


class Busy(Counted):
    """It takes documents' own items, and of their passages never the first of a batch."""

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> Any:
        [requests] = RequestItems.values()
        self.leaves_over = int("#" in requests[0]["PutRequest"]["Item"]["id"]["S"])
        return super().batch_write_item(RequestItems)


def another(aws: Any, store: Any, **options: Any) -> Any:
    """The same table and bucket as another process sees them."""
    from opsloop.rag.stores.dynamodb import DynamoDbStore

    database = options.pop("database", None) or aws.client("dynamodb")
    names = {"table": store._table, "bucket": store._bucket, "prefix": store._prefix}
    return DynamoDbStore(database, aws.client("s3"), **names, **options)


def items(aws: Any, store: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("dynamodb").scan(TableName=store._table)["Items"]
    return found


def objects(aws: Any, store: Any) -> list[str]:
    return [each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=store._bucket).get("Contents", [])]


def test_documents_are_objects_and_passages_are_items_with_their_vectors(aws: Any, dynamodb: PassageStore) -> None:
    dynamodb.write(COLLECTION, [PETS])
    assert objects(aws, dynamodb) == [f"documents/{COLLECTION}/{PETS.id}.json"]
    stored = aws.client("s3").get_object(Bucket=dynamodb._bucket, Key=objects(aws, dynamodb)[0])  # type: ignore[attr-defined]
    kept = json.loads(stored["Body"].read())
    assert kept["text"] == "Cats purr on the sofa. Dogs bark at the gate."
    assert kept["metadata"] == {"team": "home"}
    passages = [each for each in items(aws, dynamodb) if each["collection"]["S"] == COLLECTION]
    assert sorted(each["text"]["S"] for each in passages) == ["Cats purr on the sofa.", "Dogs bark at the gate."]
    assert all(len(each["vector"]["B"]) == 8 for each in passages)


def test_what_is_removed_leaves_neither_items_nor_objects(aws: Any, dynamodb: PassageStore) -> None:
    dynamodb.write(COLLECTION, ALL)
    dynamodb.remove(COLLECTION, [PETS.id])
    assert not [each for each in items(aws, dynamodb) if PETS.id in each["id"]["S"]]
    assert not [key for key in objects(aws, dynamodb) if PETS.id in key]
    dynamodb.drop(COLLECTION)
    assert items(aws, dynamodb) == []
    assert objects(aws, dynamodb) == []


def test_a_passage_too_great_for_an_item_is_kept_in_its_object_and_found(aws: Any, dynamodb: PassageStore) -> None:
    words = " ".join(f"word{number}" for number in range(60_000))
    great = document(1, f"Cats purr. {words}", vectors=[CATS])
    assert len(great.text) > 400_000
    dynamodb.write(COLLECTION, [great])
    [item] = [each for each in items(aws, dynamodb) if each["collection"]["S"] == COLLECTION]
    assert "text" not in item
    other = another(aws, dynamodb)
    assert [hit.seq for hit in other.search(COLLECTION, asked("word59999")).hits] == [100]
    assert [hit.seq for hit in other.search(COLLECTION, asked("kittens", CATS)).hits] == [100]


def test_items_that_are_left_over_are_sent_again_after_a_pause(aws: Any, dynamodb: PassageStore) -> None:
    dynamodb.write(COLLECTION, [])
    paused: list[float] = []
    busy = another(aws, dynamodb, database=Counted(aws.client("dynamodb"), leaves_over=3), pause=paused.append)
    many = document(4, *(f"Sentence number {number}." for number in range(60)))
    busy.write(COLLECTION, [many])
    assert paused == [0.1, 0.2, 0.4]
    assert len([each for each in items(aws, dynamodb) if each["collection"]["S"] == COLLECTION]) == 60
    assert dynamodb.held(COLLECTION) == {many.id: "first"}


def test_a_document_whose_writing_is_cut_off_is_not_found_and_can_be_removed(aws: Any, dynamodb: PassageStore) -> None:
    dynamodb.write(COLLECTION, [PETS])
    busy = another(aws, dynamodb, database=Busy(aws.client("dynamodb")), pause=lambda _: None)
    cut = document(2, "Parrots bark.", "Dogs bark too.")
    with pytest.raises(StoreAway, match="left 1 items over 8 times"):
        busy.write(COLLECTION, [cut])
    assert dynamodb.held(COLLECTION) == {PETS.id: "first", cut.id: IN_PART}
    assert not another(aws, dynamodb).search(COLLECTION, asked("bark parrots")).hits[1:]
    dynamodb.remove(COLLECTION, [cut.id])
    assert not [each for each in items(aws, dynamodb) if cut.id in each["id"]["S"]]
    assert not [key for key in objects(aws, dynamodb) if cut.id in key]


def test_a_process_reads_only_what_changed(aws: Any, dynamodb: PassageStore) -> None:
    dynamodb.write(COLLECTION, ALL)
    counted = Counted(aws.client("dynamodb"))
    other = another(aws, dynamodb, database=counted)
    assert other.search(COLLECTION, asked("cats")).hits
    counted.queried.clear()
    assert other.search(COLLECTION, asked("canteen")).hits
    assert counted.queried == []
    dynamodb.write(COLLECTION, [document(4, "Parrots talk.", vectors=[CATS])])
    dynamodb.remove(COLLECTION, [PETS.id])
    found = other.search(COLLECTION, asked("parrots cats", state="second")).hits
    assert [hit.seq for hit in found] == [400]
    assert counted.queried == ["*", f"doc_{4:026d}#"]


def test_a_bucket_that_is_not_there_is_told(aws: Any, dynamodb: PassageStore) -> None:
    dynamodb._bucket = "no-such-bucket-of-ours"  # type: ignore[attr-defined]
    with pytest.raises(StoreAway, match="bucket does not exist"):
        dynamodb.write(COLLECTION, [PETS])


def test_a_collection_is_searched_there_and_a_server_that_is_away_is_told(
    aws: Any, dynamodb: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store_jobs  # imported: it registers what runs here
    monkeypatch.setenv("OPSLOOP_RAG_STORE", "dynamodb")
    monkeypatch.setenv("OPSLOOP_RAG_DYNAMODB_TABLE", dynamodb._table)
    monkeypatch.setenv("OPSLOOP_RAG_S3_BUCKET", dynamodb._bucket)
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    try:
        with workspace.writing(ADMIN) as uow:
            report = b"Quarterly earnings were up 25% YoY. The canteen opens at noon."
            uploaded = service.upload(uow, "reports", "q3.txt", report, metadata={"year": "2026"})
        inline.run_due(workspace, kind="rag.copy")
        with workspace.reading(ADMIN) as uow:
            answer = service.query(uow, "reports", "How much were quarterly earnings up?", filters={"year": "2026"})
        assert answer.note is None
        assert "25%" in answer.answer
        with workspace.writing(ADMIN) as uow:
            service.delete_document(uow, "reports", uploaded.document_id)
        inline.run_due(workspace, kind="rag.copy")
        assert items(aws, dynamodb) == []
    finally:
        workspace.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    try:
        with workspace.writing(ADMIN) as uow:
            service.upload(uow, "reports", "q4.txt", b"Earnings fell in the last quarter.")
            uow.session.execute(text(_CURRENT))
        with workspace.reading(ADMIN) as uow:
            found = service.find(uow, "reports", "earnings")
        assert [each.filename for each in found.passages] == ["q4.txt"]
        assert found.note is not None
        assert found.note.startswith("the store dynamodb cannot be used: Could not connect")
    finally:
        workspace.close()
