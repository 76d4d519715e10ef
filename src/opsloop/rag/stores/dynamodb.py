"""DynamoDB and S3: a passage an item with its vector, a document's text and metadata an object.

The table's key is `collection` and `id`. Passages of a collection are one partition, `DOCUMENT#CHUNK#NUMBER`; under
`COLLECTION/documents` an item for each document says in which state it is there. DynamoDB does not rank: a
process that searches keeps an embedded index of the partition in memory and reads what changed when the collection did.
"""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from opsloop.rag.stores.embedded import EmbeddedStore
from opsloop.rag.stores.port import IN_PART, Hits, StoreAway, StoredDocument, StoredPassage, Wanted
from opsloop.rag.text.words import term_ids

NAME: Final = "dynamodb"
ITEMS_AT_ONCE = 25
KEYS_AT_ONCE = 1_000
# DynamoDB takes items of 400 KB; what is counted here leaves room for how it counts numbers.
MOST_ITEM_BYTES = 400_000
# More documents than these are read with the whole partition instead of one by one.
ONE_BY_ONE = 50
TRIES = 8
FIRST_PAUSE_S = 0.1
_NO_TABLE = "ResourceNotFoundException"
_BEING_MADE = "ResourceInUseException"

Item = dict[str, dict[str, Any]]


class DynamoDbStore:
    """Args:
    database, objects: boto3's clients of DynamoDB and of S3.
    prefix: of the objects' keys.
    """

    name = NAME

    def __init__(
        self,
        database: Any,
        objects: Any,
        *,
        table: str,
        bucket: str,
        prefix: str = "",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._objects = objects
        self._table = table
        self._bucket = bucket
        self._prefix = prefix
        self._pause = pause
        self._memory = EmbeddedStore()
        # For each collection the state of which the memory is known to be.
        self._current: dict[str, str] = {}
        self._lock = threading.Lock()

    def write(self, collection: str, documents: Sequence[StoredDocument]) -> None:
        with self._told():
            self._make()
            self._forget(collection)
            # Told before its first passage, so that one whose writing is cut off is known and can be removed.
            self._put([_document_item(collection, each, IN_PART) for each in documents])
            for each in documents:
                self._write(collection, each)
            self._put([_document_item(collection, each, each.state) for each in documents])

    def remove(self, collection: str, document_ids: Sequence[str]) -> None:
        with self._told():
            self._forget(collection)
            for id in document_ids:
                self._delete(collection, [item["id"]["S"] for item in self._items(collection, f"{id}#", ("id",))])
                self._objects.delete_object(Bucket=self._bucket, Key=self._key(collection, id))
            self._delete(_documents_of(collection), document_ids)

    def drop(self, collection: str) -> None:
        with self._told():
            self._forget(collection)
            self._memory.drop(collection)
            for partition in (collection, _documents_of(collection)):
                self._delete(partition, [item["id"]["S"] for item in self._items(partition, "", ("id",))])
            pages = self._objects.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._key(collection)):
                keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
                if keys:
                    self._objects.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})

    def held(self, collection: str) -> dict[str, str]:
        with self._told():
            return self._held(collection)

    def search(self, collection: str, wanted: Wanted) -> Hits:
        if self._current.get(collection) != wanted.state:
            with self._told():
                self._read(collection, wanted.state)
        return self._memory.search(collection, wanted)

    def _read(self, collection: str, state: str) -> None:
        """Bring the memory to what is there."""
        found = list(self._items(_documents_of(collection), "", _DOCUMENT))
        documents = {item["id"]["S"]: item for item in found}
        states = {id: state for id, item in documents.items() if (state := item["state"]["S"]) != IN_PART}
        self._memory.brought_up(collection, states, lambda ids: self._documents(collection, ids, documents))
        with self._lock:
            self._current[collection] = state

    def _forget(self, collection: str) -> None:
        with self._lock:
            self._current.pop(collection, None)

    def _held(self, collection: str) -> dict[str, str]:
        items = self._items(_documents_of(collection), "", ("id", "state"))
        return {item["id"]["S"]: item["state"]["S"] for item in items}

    def _documents(self, collection: str, ids: Sequence[str], known: Mapping[str, Item]) -> list[StoredDocument]:
        """Documents without their texts, which no index needs."""
        wanted = set(ids)
        if len(ids) > ONE_BY_ONE:
            items: Iterator[Item] = self._items(collection, "", _PASSAGE)
        else:
            items = (item for id in ids for item in self._items(collection, f"{id}#", _PASSAGE))
        by_document: dict[str, list[StoredPassage]] = {id: [] for id in ids}
        for id, own in groupby(items, key=_document_of):
            if id in wanted:
                by_document[id] = self._passages(collection, id, list(own))
        return [_document(known[id], tuple(passages)) for id, passages in by_document.items()]

    def _passages(self, collection: str, id: str, items: Sequence[Item]) -> list[StoredPassage]:
        text = None
        if any("terms" not in item for item in items):
            body = self._objects.get_object(Bucket=self._bucket, Key=self._key(collection, id))["Body"].read()
            text = str(json.loads(body)["text"])
        return sorted((_passage(item, text) for item in items), key=attrgetter("chunk", "seq"))

    def _write(self, collection: str, document: StoredDocument) -> None:
        self._objects.put_object(
            Bucket=self._bucket,
            Key=self._key(collection, document.id),
            Body=_object(document),
            ContentType="application/json",
        )
        items = [_passage_item(collection, document.id, each) for each in document.passages]
        self._put(items)
        kept = {item["id"]["S"] for item in items}
        there = [item["id"]["S"] for item in self._items(collection, f"{document.id}#", ("id",))]
        self._delete(collection, [id for id in there if id not in kept])

    def _key(self, collection: str, id: str | None = None) -> str:
        return f"{self._prefix}{collection}/" + (f"{id}.json" if id is not None else "")

    def _items(self, partition: str, beginning: str, names: Sequence[str]) -> Iterator[Item]:
        """Items of a partition in the order of their ids; none while there is no table."""
        values: dict[str, Any] = {":collection": {"S": partition}}
        condition = "#collection = :collection"
        if beginning:
            values[":beginning"] = {"S": beginning}
            condition += " AND begins_with(#id, :beginning)"
        aliases = {f"#{name}": name for name in ("collection", "id", *names)}
        asked = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": aliases,
            "ExpressionAttributeValues": values,
            "ProjectionExpression": ", ".join(f"#{name}" for name in names),
        }
        try:
            while True:
                answer = self._database.query(**asked)
                yield from answer["Items"]
                if "LastEvaluatedKey" not in answer:
                    return
                asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        except ClientError as error:
            if _code(error) != _NO_TABLE:
                raise

    def _put(self, items: Sequence[Item]) -> None:
        self._change([{"PutRequest": {"Item": item}} for item in items])

    def _delete(self, partition: str, ids: Sequence[str]) -> None:
        keys = [{"collection": {"S": partition}, "id": {"S": id}} for id in ids]
        try:
            self._change([{"DeleteRequest": {"Key": key}} for key in keys])
        except ClientError as error:
            if _code(error) != _NO_TABLE:
                raise

    def _change(self, requests: Sequence[dict[str, Any]]) -> None:
        """Put and delete items. What DynamoDB leaves over, when it is asked too much at once, is sent again later."""
        for first in range(0, len(requests), ITEMS_AT_ONCE):
            left = list(requests[first : first + ITEMS_AT_ONCE])
            for turn in range(TRIES):
                answer = self._database.batch_write_item(RequestItems={self._table: left})
                left = answer.get("UnprocessedItems", {}).get(self._table, [])
                if not left:
                    break
                self._pause(FIRST_PAUSE_S * 2**turn)
            else:
                raise StoreAway(store=NAME, reason=f"table {self._table} left {len(left)} items over {TRIES} times")

    def _make(self) -> None:
        """The table, when it is not there; it is paid by the request."""
        try:
            self._database.describe_table(TableName=self._table)
            return
        except ClientError as error:
            if _code(error) != _NO_TABLE:
                raise
        try:
            self._database.create_table(
                TableName=self._table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("collection", "id")],
                KeySchema=[
                    {"AttributeName": "collection", "KeyType": "HASH"},
                    {"AttributeName": "id", "KeyType": "RANGE"},
                ],
            )
        except ClientError as error:
            if _code(error) != _BEING_MADE:  # by another process
                raise
        self._database.get_waiter("table_exists").wait(
            TableName=self._table, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raises: StoreAway for what AWS or the way to it says."""
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise StoreAway(store=NAME, reason=str(error)) from error


_DOCUMENT = ("id", "state", "filename", "metadata", "sha256", "media_type", "created_at")
_PASSAGE = ("id", "seq", "chunk_seq", "chunk", "start", "end", "page", "heading", "heading_terms", "terms", "vector")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _documents_of(collection: str) -> str:
    """The partition of documents; no collection's name has a slash."""
    return f"{collection}/documents"


def _document_of(item: Item) -> str:
    return str(item["id"]["S"]).partition("#")[0]


def _document_item(collection: str, document: StoredDocument, state: str) -> Item:
    return {
        "collection": {"S": _documents_of(collection)},
        "id": {"S": document.id},
        "state": {"S": state},
        "filename": {"S": document.filename},
        "metadata": {"M": {key: {"S": value} for key, value in document.metadata.items()}},
        "sha256": {"S": document.sha256},
        "media_type": {"S": document.media_type},
        "created_at": {"S": document.created_at.astimezone(UTC).isoformat()},
    }


def _passage_item(collection: str, document_id: str, passage: StoredPassage) -> Item:
    """Without text and terms where both do not go into one item: they stand in the document's object."""
    item: Item = {
        "collection": {"S": collection},
        "id": {"S": f"{document_id}#{passage.chunk:07}#{passage.seq:019}"},
        "document_id": {"S": document_id},
        "seq": {"N": str(passage.seq)},
        "chunk_seq": {"N": str(passage.chunk_seq)},
        "chunk": {"N": str(passage.chunk)},
        "start": {"N": str(passage.start)},
        "end": {"N": str(passage.end)},
        "heading": {"S": passage.heading},
        "heading_terms": {"B": passage.heading_terms},
        "text": {"S": passage.text},
        "terms": {"B": passage.terms},
    }
    if passage.page is not None:
        item["page"] = {"N": str(passage.page)}
    if passage.vector is not None:
        item["vector"] = {"B": passage.vector}
    if _size_bytes(item) > MOST_ITEM_BYTES:
        del item["text"], item["terms"]
    return item


def _size_bytes(item: Item) -> int:
    values = ((name, value) for name, typed in item.items() for value in typed.values())
    return sum(len(name) + (len(value) if isinstance(value, bytes) else len(value.encode())) for name, value in values)


def _passage(item: Item, text: str | None) -> StoredPassage:
    """Args: text: of the document, where an item has none of its own."""
    start, end = int(item["start"]["N"]), int(item["end"]["N"])
    terms = item["terms"]["B"] if "terms" in item else None
    if terms is None:
        ids = term_ids((text or "")[start:end])
        terms = struct.pack(f"<{len(ids)}I", *ids)
    return StoredPassage(
        seq=int(item["seq"]["N"]),
        chunk_seq=int(item["chunk_seq"]["N"]),
        chunk=int(item["chunk"]["N"]),
        start=start,
        end=end,
        page=int(item["page"]["N"]) if "page" in item else None,
        heading=item["heading"]["S"],
        text="",
        heading_terms=bytes(item["heading_terms"]["B"]),
        terms=bytes(terms),
        vector=bytes(item["vector"]["B"]) if "vector" in item else None,
    )


def _document(item: Item, passages: tuple[StoredPassage, ...]) -> StoredDocument:
    return StoredDocument(
        id=item["id"]["S"],
        filename=item["filename"]["S"],
        sha256=item["sha256"]["S"],
        media_type=item["media_type"]["S"],
        metadata={key: value["S"] for key, value in item["metadata"]["M"].items()},
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        state=item["state"]["S"],
        text="",
        passages=passages,
    )


def _object(document: StoredDocument) -> bytes:
    told = {
        "document_id": document.id,
        "filename": document.filename,
        "sha256": document.sha256,
        "media_type": document.media_type,
        "metadata": dict(document.metadata),
        "created_at": document.created_at.astimezone(UTC).isoformat(),
        "state": document.state,
        "text": document.text,
    }
    return json.dumps(told, ensure_ascii=False).encode()
