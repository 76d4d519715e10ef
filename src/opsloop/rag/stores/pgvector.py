"""PostgreSQL with pgvector: a table per collection, vectors by HNSW, words by BM25 over an index of term ids.

The nearest are looked up in the HNSW index; behind a filter every passage that passes is compared, so that a filter
never costs what it would let through. Candidates of both kinds are then scored exactly. The extension has to be 0.8 or
newer: half-precision vectors, and scans that go on until they found enough.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Double,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    cast,
    delete,
    false,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.schema import CreateSchema
from sqlalchemy.types import UserDefinedType

from opsloop.rag.index.postings import K1, B
from opsloop.rag.stores.fusing import Frequencies, Scored, fused
from opsloop.rag.stores.port import Hit, Hits, StoreAway, StoredDocument, StoredPassage, Wanted
from opsloop.rag.text.words import term_id

NAME: Final = "pgvector"
LEAST_VERSION = (0, 8)
# Candidates by vector and by words, of which both scores are made.
CANDIDATES = 200
# Passages that are scored by their words to find those candidates; more where a question has common words alone.
MOST_SCORED = 4_000
ROWS_AT_ONCE = 1_000
# pgvector indexes half-precision vectors of at most so many numbers.
_MOST_INDEXED = 4_000


class _Halves(UserDefinedType[str]):
    cache_ok = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        return "halfvec" if self.dimensions is None else f"halfvec({self.dimensions})"


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is known of a collection's terms in one state of it."""

    state: str
    count: int
    mean_terms: float
    of: dict[int, int]


class PgvectorStore:
    """Args:
    schema: where the tables are; nothing else may be in it.
    """

    name = NAME

    def __init__(self, engine: Engine, *, schema: str) -> None:
        self._engine = engine
        self._schema = schema
        self._is_ready = False
        self._counted: dict[str, _Counted] = {}

    def write(self, collection: str, documents: Sequence[StoredDocument]) -> None:
        table = self._table(collection)
        rows = [_row(document, each) for document in documents for each in document.passages]
        dimensions = max(
            (len(each.vector) // 2 for one in documents for each in one.passages if each.vector), default=0
        )
        with self._connected() as connection:
            self._make(connection, table, dimensions)
            connection.execute(delete(table).where(table.c.document_id.in_([each.id for each in documents])))
            for first in range(0, len(rows), ROWS_AT_ONCE):
                connection.execute(insert(table), rows[first : first + ROWS_AT_ONCE])

    def remove(self, collection: str, document_ids: Sequence[str]) -> None:
        table = self._table(collection)
        with self._connected() as connection:
            if _is_there(connection, table):
                connection.execute(delete(table).where(table.c.document_id.in_(document_ids)))

    def drop(self, collection: str) -> None:
        with self._connected() as connection:
            self._table(collection).drop(connection, checkfirst=True)

    def held(self, collection: str) -> dict[str, str]:
        table = self._table(collection)
        with self._connected() as connection:
            if not _is_there(connection, table):
                return {}
            rows = connection.execute(select(table.c.document_id, table.c.state).distinct()).all()
        return {row.document_id: row.state for row in rows}

    def search(self, collection: str, wanted: Wanted) -> Hits:
        table = self._table(collection)
        with self._connected() as connection:
            if not _is_there(connection, table):
                return Hits()
            frequencies = self._frequencies(connection, table, wanted)
            _plan(connection, is_filtered=bool(wanted.filters))
            rows = connection.execute(_candidates(table, wanted, frequencies)).all()
        scores = fused(
            [Scored(row.seq, float(row.words), float(row.similarity)) for row in rows],
            wanted.vector_weight if wanted.with_vectors else 0.0,
            by_ranks=wanted.ranking == "ranks",
        )
        document_of = {row.seq: row.document_id for row in rows}
        best = sorted(scores, key=lambda seq: (-scores[seq], seq))[: wanted.count]
        rarity = {term: frequencies.rarity(term_id(term)) for term in wanted.terms}
        return Hits(tuple(Hit(document_of[seq], seq, scores[seq]) for seq in best), rarity)

    def _frequencies(self, connection: Connection, table: Table, wanted: Wanted) -> Frequencies:
        """How often the question's terms stand in the collection, counted once for each content of it."""
        kept = self._counted.get(table.name)
        if kept is None or kept.state != wanted.state:
            count, mean = connection.execute(select(func.count(), func.avg(func.cardinality(table.c.terms)))).one()
            kept = _Counted(wanted.state, int(count), float(mean or 0.0), {})
            self._counted[table.name] = kept
        ids = {term_id(term) for term in wanted.terms}
        new = sorted(ids - kept.of.keys())
        if new:
            times = func.count().label("times")
            counts = [select(literal(id).label("term"), times).where(_holds(table, [id])) for id in new]
            rows = connection.execute(counts[0].union_all(*counts[1:])).all()
            kept.of.update((row.term, row.times) for row in rows)
        return Frequencies(kept.count, kept.mean_terms, {id: kept.of[id] for id in ids})

    def _table(self, collection: str) -> Table:
        return Table(
            collection,
            MetaData(schema=self._schema),
            Column("seq", BigInteger, primary_key=True, autoincrement=False),
            Column("document_id", Text, nullable=False),
            Column("filename", Text, nullable=False),
            Column("metadata", JSONB, nullable=False),
            Column("sha256", Text, nullable=False),
            Column("media_type", Text, nullable=False),
            Column("created_at", DateTime(timezone=True), nullable=False),
            Column("state", Text, nullable=False),
            Column("chunk", Integer, nullable=False),
            Column("start", Integer, nullable=False),
            Column("end", Integer, nullable=False),
            Column("page", Integer),
            Column("heading", Text, nullable=False),
            Column("text", Text, nullable=False),
            # Ids of its terms and of its heading's, repeated as they repeat.
            Column("terms", ARRAY(BigInteger), nullable=False),
            Column("vector", _Halves()),
        )

    def _make(self, connection: Connection, table: Table, dimensions: int) -> None:
        """The table with room for vectors of so many numbers; those of another size are let go."""
        if not self._is_ready:
            self._prepare(connection)
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))
        if not _is_there(connection, table):
            table.create(connection)
            connection.exec_driver_sql(f"CREATE INDEX ON {name} USING gin (terms)")
            connection.exec_driver_sql(f"CREATE INDEX ON {name} (document_id)")
        if dimensions and _dimensions(connection, name) != dimensions:
            connection.exec_driver_sql(f"ALTER TABLE {name} DROP COLUMN vector")
            connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN vector halfvec({dimensions})")
            if dimensions <= _MOST_INDEXED:
                connection.exec_driver_sql(f"CREATE INDEX ON {name} USING hnsw (vector halfvec_cosine_ops)")

    def _prepare(self, connection: Connection) -> None:
        """The schema and the extension, which a role that may not make them finds made."""
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(self._schema))))
        if not inspect(connection).has_schema(self._schema):
            connection.execute(CreateSchema(self._schema))
        found = connection.scalar(_VERSION)
        if found is None:
            connection.exec_driver_sql("CREATE EXTENSION vector")
            found = str(connection.scalar(_VERSION))
        if tuple(int(part) for part in found.split(".")[:2]) < LEAST_VERSION:
            least = ".".join(map(str, LEAST_VERSION))
            raise StoreAway(store=NAME, reason=f"the extension vector there is {found}; update it to {least} or newer")
        self._is_ready = True

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A transaction there. Raises: StoreAway."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, NoConnectionInTime) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StoreAway(store=NAME, reason=reason) from error


_VERSION = text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
_DIMENSIONS = text("SELECT atttypmod FROM pg_attribute WHERE attrelid = to_regclass(:name) AND attname = 'vector'")


def _is_there(connection: Connection, table: Table) -> bool:
    name = connection.dialect.identifier_preparer.format_table(table)
    return connection.scalar(select(func.to_regclass(name))) is not None


def _dimensions(connection: Connection, name: str) -> int | None:
    found = connection.scalar(_DIMENSIONS, {"name": name})
    return None if found is None or found < 0 else int(found)


def _row(document: StoredDocument, passage: StoredPassage) -> dict[str, Any]:
    return {
        "seq": passage.seq,
        "document_id": document.id,
        "filename": document.filename,
        "metadata": dict(document.metadata),
        "sha256": document.sha256,
        "media_type": document.media_type,
        "created_at": document.created_at,
        "state": document.state,
        "chunk": passage.chunk,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
        "heading": passage.heading,
        "text": passage.text,
        "terms": list(struct.unpack(f"<{len(passage.all_terms) // 4}I", passage.all_terms)),
        "vector": None
        if passage.vector is None
        else _told(struct.unpack(f"<{len(passage.vector) // 2}e", passage.vector)),
    }


def _told(numbers: Sequence[float]) -> str:
    """A vector as pgvector reads it; five digits tell half-precision numbers apart."""
    return f"[{','.join(f'{number:.5g}' for number in numbers)}]"


def _plan(connection: Connection, *, is_filtered: bool) -> None:
    """How the planner is to look for the nearest in this transaction."""
    if is_filtered:  # compare all that pass: of HNSW's nearest, few may
        connection.execute(text("SET LOCAL enable_indexscan = off"))
        return
    connection.execute(text(f"SET LOCAL hnsw.ef_search = {CANDIDATES}"))
    # Rows that were deleted and not vacuumed yet are still met in the index, and not counted.
    connection.execute(text("SET LOCAL hnsw.iterative_scan = relaxed_order"))


def _candidates(table: Table, wanted: Wanted, frequencies: Frequencies) -> Select[Any]:
    """What may be among the best, with the scores of its words and of its vector."""
    ids = sorted(frequencies.of)
    words = _bm25(table, ids, frequencies)
    allowed = [_allowed(table, key, values) for key, values in wanted.filters.items()]
    # Behind a filter, what has the rare ones may not pass.
    looked_up = ids if allowed else _rarest(frequencies)
    wordy = select(table.c.seq).where(_holds(table, looked_up), *allowed)
    wordiest = wordy.order_by(words.desc(), table.c.seq).limit(CANDIDATES)
    chosen: list[Select[Any]] = [wordiest] if ids else []
    similarity: ColumnElement[Any] = literal(0.0)
    if wanted.with_vectors and wanted.vector is not None:
        asked = _told(struct.unpack(f"<{len(wanted.vector) // 4}f", wanted.vector))
        point = cast(literal(asked, Text), _Halves())
        distance: ColumnElement[float] = table.c.vector.op("<=>", return_type=Double())(point)
        similarity = func.coalesce(1.0 - distance, 0.0)
        there = table.c.vector.is_not(None)
        chosen.append(select(table.c.seq).where(there, *allowed).order_by(distance).limit(CANDIDATES))
    found = select(table.c.seq, table.c.document_id, words.label("words"), similarity.label("similarity"))
    if not chosen:
        return found.where(false())
    return found.where(table.c.seq.in_(select(union(*(select(each.subquery()) for each in chosen)).subquery())))


def _rarest(frequencies: Frequencies) -> list[int]:
    """The rarest terms, of which passages are then scored by all terms: those that have common ones alone score low."""
    chosen: list[int] = []
    rows = 0
    for id, times in sorted(frequencies.of.items(), key=itemgetter(1, 0)):
        rows += times
        if any(frequencies.of[one] for one in chosen) and rows > MOST_SCORED:
            break
        chosen.append(id)
    return chosen


def _holds(table: Table, ids: Sequence[int]) -> ColumnElement[bool]:
    return table.c.terms.op("&&", return_type=Boolean())(cast(list(ids), ARRAY(BigInteger)))


def _bm25(table: Table, ids: Sequence[int], frequencies: Frequencies) -> ColumnElement[float]:
    """`Frequencies.bm25` in SQL."""
    if not ids:
        return literal(0.0)
    norm = K1 * (1 - B) + K1 * B / max(1.0, frequencies.mean_terms) * func.cardinality(table.c.terms)
    parts: list[ColumnElement[Any]] = []
    for id in ids:
        times = cast(func.cardinality(func.array_positions(table.c.terms, cast(id, BigInteger))), Double)
        parts.append(frequencies.rarity(id) * (K1 + 1) * times / (times + norm))
    return reduce(operator.add, parts)


def _allowed(table: Table, key: str, values: Sequence[str]) -> ColumnElement[bool]:
    own = {"document_id": table.c.document_id, "filename": table.c.filename}
    column: ColumnElement[Any] = own.get(key, table.c.metadata[key].as_string())
    return column.in_(values)
