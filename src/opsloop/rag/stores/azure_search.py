"""Azure AI Search over its REST API: an index per collection, an entry for each passage and one for each document.

Words are searched as our own terms, which `words` holds with a space between, so that words match as they do elsewhere.
`fused` asks for words and for vectors apart and adds the scores here; `ranks` is the service's own hybrid query. What
was written shows in searches some time later: a call that writes ends when its documents show.

Source: https://learn.microsoft.com/rest/api/searchservice/ (2024-07-01).
"""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from hashlib import sha256
from typing import Any, Final

import httpx

from opsloop.rag.index.retrieve import RESOLUTION
from opsloop.rag.stores.fusing import Frequencies, Scored, fused
from opsloop.rag.stores.port import IN_PART, Hit, Hits, StoreAway, StoredDocument, StoredPassage, Wanted
from opsloop.rag.text.words import term_id, terms

NAME: Final = "azure-search"
VERSION = "2024-07-01"
# The service takes 1,000 actions and 16 MB at once.
ACTIONS_AT_ONCE = 500
MOST_BODY_BYTES = 8_000_000
ENTRIES_AT_ONCE = 1_000
CANDIDATES = 200
LEAST_DIMENSIONS = 2
TRIES = 6
FIRST_PAUSE_S = 0.2
SHOWS_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.25
# Statuses that pass: of a busy service, or of an entry that another request is changing.
_PASSING = frozenset({409, 422, 429, 503})
_GONE = 404

Json = dict[str, Any]


class AzureSearchStore:
    """Args:
    client: with the service's address, its key in `api-key`, and a timeout.
    prefix: of the indexes' names.
    """

    name = NAME

    def __init__(self, client: httpx.Client, *, prefix: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._prefix = prefix
        self._pause = pause
        self._frequencies: dict[str, tuple[str, int, float, dict[int, int]]] = {}

    def write(self, collection: str, documents: Sequence[StoredDocument]) -> None:
        index = self._index(collection)
        self._make(index, documents)
        before = self._documents(index)
        # Told before its first passage, so that one whose writing is cut off is known and can be removed.
        self._upload(index, [_document_entry(each, IN_PART, _most(before, each)) for each in documents])
        self._upload(
            index, [_passage_entry(one, at, each) for one in documents for at, each in enumerate(one.passages)]
        )
        left = [key for each in documents for key in _keys(each.id, len(each.passages), _most(before, each))]
        self._delete(index, left)
        self._upload(index, [_document_entry(each, each.state, len(each.passages)) for each in documents])
        self._wait(index, {each.id: each.state for each in documents})

    def remove(self, collection: str, document_ids: Sequence[str]) -> None:
        index = self._index(collection)
        before = self._documents(index)
        there = [id for id in document_ids if id in before]
        self._delete(index, [key for id in there for key in _keys(id, 0, before[id]["count"])])
        self._delete(index, there)
        self._wait(index, dict.fromkeys(there))

    def drop(self, collection: str) -> None:
        self._ask("DELETE", self._index(collection), or_gone=True)

    def held(self, collection: str) -> dict[str, str]:
        return {id: entry["state"] for id, entry in self._documents(self._index(collection)).items()}

    def search(self, collection: str, wanted: Wanted) -> Hits:
        index = self._index(collection)
        frequencies = self._counted(index, wanted)
        if not frequencies.count:
            return Hits()
        rarity = {term: frequencies.rarity(term_id(term)) for term in wanted.terms}
        if wanted.ranking == "ranks" and wanted.with_vectors and wanted.terms:
            found = self._hybrid(index, wanted)
        else:
            found = self._apart(index, wanted)
        return Hits(tuple(found[: wanted.count]), rarity)

    def _apart(self, index: str, wanted: Wanted) -> list[Hit]:
        by_words = self._passages(index, wanted, {"search": _asked(wanted)}) if wanted.terms else {}
        by_vector = self._passages(index, wanted, {"vectorQueries": [_near(wanted)]}) if wanted.with_vectors else {}
        entries = by_words | by_vector
        scored = [
            Scored(
                seq,
                by_words[seq]["@search.score"] if seq in by_words else 0.0,
                _cosine(by_vector[seq]["@search.score"]) if seq in by_vector else 0.0,
            )
            for seq in entries
        ]
        weight = wanted.vector_weight if wanted.with_vectors else 0.0
        scores = fused(scored, weight, by_ranks=wanted.ranking == "ranks")
        order = sorted(scores, key=lambda seq: (-scores[seq], seq))
        return [Hit(entries[seq]["document_id"], seq, scores[seq]) for seq in order]

    def _hybrid(self, index: str, wanted: Wanted) -> list[Hit]:
        """The service's reciprocal rank fusion. Of the nearest, those that are not near at all are left out."""
        share = wanted.vector_weight / max(1e-6, 1 - wanted.vector_weight)
        both = {"search": _asked(wanted), "vectorQueries": [{**_near(wanted), "weight": share}]}
        entries = self._passages(index, wanted, both)
        words = set(self._passages(index, wanted, {"search": _asked(wanted)}))
        near = self._passages(index, wanted, {"vectorQueries": [_near(wanted)]})
        alike = {seq for seq, entry in near.items() if _cosine(entry["@search.score"]) > RESOLUTION}
        best = max((entry["@search.score"] for entry in entries.values()), default=1.0)
        return [
            Hit(entry["document_id"], seq, entry["@search.score"] / best)
            for seq, entry in entries.items()
            if seq in words or seq in alike
        ]

    def _passages(self, index: str, wanted: Wanted, query: Json) -> dict[int, Json]:
        """Entries that a query finds, the best first, by the number of the passage."""
        asked = {
            "filter": _filter(wanted.filters),
            "select": "document_id,seq",
            "top": CANDIDATES,
            "queryType": "simple",
            "searchMode": "any",
            "searchFields": "words",
            "vectorFilterMode": "preFilter",
            **query,
        }
        answer = self._ask("POST", f"{index}/docs/search", asked, or_gone=True)
        return {int(entry["seq"]): entry for entry in answer.get("value", ())}

    def _counted(self, index: str, wanted: Wanted) -> Frequencies:
        """In how many passages each term of the question stands, asked once for each content of the collection."""
        kept = self._frequencies.get(index)
        if kept is None or kept[0] != wanted.state:
            kept = (wanted.state, self._count(index, "*"), 0.0, {})
            self._frequencies[index] = kept
        for term in wanted.terms:
            if term_id(term) not in kept[3]:
                kept[3][term_id(term)] = self._count(index, term)
        return Frequencies(kept[1], kept[2], {term_id(term): kept[3][term_id(term)] for term in wanted.terms})

    def _count(self, index: str, search: str) -> int:
        asked = {"search": search, "searchFields": "words", "filter": _PASSAGES, "count": True, "top": 0}
        answer = self._ask("POST", f"{index}/docs/search", asked, or_gone=True)
        return int(answer.get("@odata.count", 0))

    def _documents(self, index: str) -> dict[str, Json]:
        """The entries of documents, by id."""
        found: dict[str, Json] = {}
        last = ""
        while True:
            asked = {
                "search": "*",
                "filter": f"kind eq 'document' and document_id gt {_quoted(last)}",
                "orderby": "document_id",
                "select": "document_id,state,count",
                "top": ENTRIES_AT_ONCE,
            }
            entries = self._ask("POST", f"{index}/docs/search", asked, or_gone=True).get("value", [])
            found |= {entry["document_id"]: entry for entry in entries}
            if len(entries) < ENTRIES_AT_ONCE:
                return found
            last = entries[-1]["document_id"]

    def _wait(self, index: str, wanted: Mapping[str, str | None]) -> None:
        """Until searches show these states of documents; None: that they are gone."""
        waited_s = 0.0
        while True:
            there = self._documents(index)
            if all(there.get(id, {}).get("state") == state for id, state in wanted.items()):
                return
            if waited_s >= SHOWS_WITHIN_S:
                raise StoreAway(store=NAME, reason=f"it does not show what was written {SHOWS_WITHIN_S:g} s ago")
            self._pause(_LOOK_EVERY_S)
            waited_s += _LOOK_EVERY_S

    def _make(self, index: str, documents: Sequence[StoredDocument]) -> None:
        """The index, with room for vectors of these documents' size; one of another size is made anew."""
        sizes = (len(each.vector) // 2 for one in documents for each in one.passages if each.vector is not None)
        dimensions = max((max(each, LEAST_DIMENSIONS) for each in sizes), default=0)
        there = self._ask("GET", index, or_gone=True)
        known = {field["name"]: field for field in there.get("fields", ())}
        has = known["vector"]["dimensions"] if "vector" in known else 0
        if there and dimensions in (0, has):
            return
        if has:
            self._ask("DELETE", index, or_gone=True)
        self._ask("PUT", index, _definition(index.removeprefix("indexes/"), dimensions or has))

    def _index(self, collection: str) -> str:
        """Indexes have lower-case letters, digits and single dashes; a name that has others is told apart by a hash."""
        plain = re.sub(r"[^a-z0-9]+", "-", collection).strip("-")
        if plain != collection:
            plain += "-" + sha256(collection.encode()).hexdigest()[:8]
        return f"indexes/{self._prefix}{plain}"

    def _upload(self, index: str, entries: Sequence[Json]) -> None:
        self._change(index, [{"@search.action": "upload", **entry} for entry in entries])

    def _delete(self, index: str, keys: Sequence[str]) -> None:
        self._change(index, [{"@search.action": "delete", "id": key} for key in keys])

    def _change(self, index: str, actions: Sequence[Json]) -> None:
        """Change entries. Of a batch that was done in part, what may pass is sent again; what does not is told."""
        for batch in _batches(actions):
            left = {str(action["id"]): action for action in batch}
            for turn in range(TRIES):
                answer = self._ask("POST", f"{index}/docs/index", {"value": list(left.values())})
                failed = [each for each in answer.get("value", ()) if not each.get("status", True)]
                for each in failed:
                    if each.get("statusCode") not in _PASSING:
                        raise StoreAway(store=NAME, reason=f"entry {each['key']}: {each.get('errorMessage')}")
                left = {each["key"]: left[each["key"]] for each in failed}
                if not left:
                    break
                self._pause(FIRST_PAUSE_S * 2**turn)
            else:
                raise StoreAway(store=NAME, reason=f"it left {len(left)} entries over {TRIES} times")

    def _ask(self, method: str, path: str, body: Json | None = None, *, or_gone: bool = False) -> Json:
        """An answer's JSON; an empty one when there is none, or with `or_gone` no such index. Raises: StoreAway."""
        for turn in range(TRIES):
            try:
                answer = self._client.request(method, f"/{path}", params={"api-version": VERSION}, json=body)
            except httpx.HTTPError as error:
                raise StoreAway(store=NAME, reason=str(error) or type(error).__name__) from error
            if answer.status_code not in (429, 503):
                break
            self._pause(_retry_after_s(answer, FIRST_PAUSE_S * 2**turn))
        if or_gone and answer.status_code == _GONE:
            return {}
        if not answer.is_success:
            raise StoreAway(store=NAME, reason=f"status {answer.status_code}: {_said(answer)}")
        found: Json = answer.json() if answer.content else {}
        return found


_PASSAGES = "kind eq 'passage'"


def _definition(name: str, dimensions: int) -> Json:
    text: Json = {"type": "Edm.String", "searchable": False, "filterable": False, "sortable": False, "facetable": False}
    filterable = text | {"filterable": True}
    number = {"type": "Edm.Int64", "filterable": True, "sortable": False, "facetable": False}
    fields = [
        {"name": "id", "key": True, **text},
        {"name": "kind", **filterable},
        {"name": "document_id", **filterable, "sortable": True},
        {"name": "filename", **filterable},
        {"name": "metadata", **filterable, "type": "Collection(Edm.String)"},
        {"name": "state", **text},
        {"name": "sha256", **text},
        {"name": "created_at", **text},
        *({"name": each, **number} for each in ("count", "seq", "chunk", "start", "end", "page")),
        {"name": "heading", **text},
        {"name": "text", **text, "searchable": True},
        {"name": "words", **text, "searchable": True, "retrievable": False, "analyzer": "whitespace"},
    ]
    definition: Json = {"name": name, "fields": fields}
    if dimensions:
        fields.append(
            {
                "name": "vector",
                "type": "Collection(Edm.Single)",
                "searchable": True,
                "retrievable": True,
                "dimensions": dimensions,
                "vectorSearchProfile": "cosine",
            }
        )
        definition["vectorSearch"] = {
            "algorithms": [{"name": "hnsw", "kind": "hnsw", "hnswParameters": {"metric": "cosine"}}],
            "profiles": [{"name": "cosine", "algorithm": "hnsw"}],
        }
    return definition


def _document_entry(document: StoredDocument, state: str, count: int) -> Json:
    return {"id": document.id, "kind": "document", "state": state, "count": count, **_common(document)}


def _passage_entry(document: StoredDocument, place: int, passage: StoredPassage) -> Json:
    entry = {
        "id": _key(document.id, place),
        "kind": "passage",
        "seq": passage.seq,
        "chunk": passage.chunk,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
        "heading": passage.heading,
        "text": passage.text,
        "words": " ".join((*terms(passage.heading), *terms(passage.text))),
        **_common(document),
    }
    if passage.vector is not None:
        entry["vector"] = _padded(struct.unpack(f"<{len(passage.vector) // 2}e", passage.vector))
    return entry


def _common(document: StoredDocument) -> Json:
    return {
        "document_id": document.id,
        "filename": document.filename,
        "metadata": [_pair(key, value) for key, value in sorted(document.metadata.items())],
        "sha256": document.sha256,
        "created_at": document.created_at.astimezone(UTC).isoformat(),
    }


def _key(document_id: str, place: int) -> str:
    return f"{document_id}-{place}"


def _keys(document_id: str, first: int, count: int) -> list[str]:
    return [_key(document_id, place) for place in range(first, count)]


def _most(before: Mapping[str, Json], document: StoredDocument) -> int:
    """How many passages of a document there may be: those of before, or those of now."""
    return max(len(document.passages), int(before.get(document.id, {}).get("count", 0)))


def _pair(key: str, value: str) -> str:
    """A key of the metadata with its value as one text, in which no other pair reads the same."""
    return json.dumps([key, value], ensure_ascii=False)


def _quoted(value: str) -> str:
    """A text as OData writes it."""
    return "'" + value.replace("'", "''") + "'"


def _filter(filters: Mapping[str, Sequence[str]]) -> str:
    parts = [_PASSAGES]
    for key, values in filters.items():
        if key in ("document_id", "filename"):
            some = [f"{key} eq {_quoted(value)}" for value in values]
        else:
            some = [f"metadata/any(pair: pair eq {_quoted(_pair(key, value))})" for value in values]
        parts.append(f"({' or '.join(some)})" if some else "kind eq 'none'")
    return " and ".join(parts)


def _asked(wanted: Wanted) -> str:
    """Terms are letters and digits: nothing in them is an operator of the query syntax."""
    return " ".join(wanted.terms)


def _near(wanted: Wanted) -> Json:
    assert wanted.vector is not None
    numbers = struct.unpack(f"<{len(wanted.vector) // 4}f", wanted.vector)
    return {"kind": "vector", "vector": _padded(numbers), "fields": "vector", "k": CANDIDATES}


def _padded(numbers: Sequence[float]) -> list[float]:
    """A vector that has as many numbers as the service wants at least; zeros change no cosine."""
    return [*numbers, *[0.0] * (LEAST_DIMENSIONS - len(numbers))]


def _cosine(score: float) -> float:
    """The service tells 1 / (1 + distance), where the distance is 1 - cosine."""
    return 2 - 1 / score if score > 0 else 0.0


def _batches(actions: Sequence[Json]) -> Iterator[list[Json]]:
    batch: list[Json] = []
    size_bytes = 0
    for action in actions:
        own = len(json.dumps(action))
        if batch and (len(batch) == ACTIONS_AT_ONCE or size_bytes + own > MOST_BODY_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(action)
        size_bytes += own
    if batch:
        yield batch


def _retry_after_s(answer: httpx.Response, else_s: float) -> float:
    told = answer.headers.get("retry-after", "")
    return min(float(told), 30.0) if told.isdigit() else else_s


def _said(answer: httpx.Response) -> str:
    """What the service says of an error, in one line; never what was sent."""
    try:
        return str(answer.json()["error"]["message"]).splitlines()[0][:300]
    except (ValueError, KeyError, TypeError, IndexError):
        return answer.reason_phrase
