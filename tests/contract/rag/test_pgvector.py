"""What is particular to PostgreSQL: its indexes, common words, an extension that is too old. On a real server."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from opsloop.rag.stores import pgvector as module
from opsloop.rag.stores.port import StoreAway
from tests.contract.rag.stores import ALL, CATS, COLLECTION, PETS, asked, document


def test_vectors_and_words_have_an_index_each(pgvector: Any) -> None:
    pgvector.write(COLLECTION, ALL)
    with pgvector._engine.connect() as connection:
        asked_for = text("SELECT indexdef FROM pg_indexes WHERE schemaname = :schema")
        made = " ".join(connection.scalars(asked_for, {"schema": pgvector._schema}))
    assert "USING hnsw (vector halfvec_cosine_ops)" in made
    assert "USING gin (terms)" in made


def test_common_words_score_but_do_not_choose_where_rare_ones_do(
    pgvector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SCORED", 3)
    common = [document(number, "Cats purr.") for number in range(10, 20)]
    rare = [document(1, "Unicorns sleep."), document(2, "Unicorns, cats.")]
    pgvector.write(COLLECTION, [*common, *rare])
    assert [hit.seq for hit in pgvector.search(COLLECTION, asked("unicorn cats")).hits] == [200, 100]
    assert len(pgvector.search(COLLECTION, asked("cats")).hits) == 10
    assert len(pgvector.search(COLLECTION, asked("cats dragons")).hits) == 10
    filtered = pgvector.search(COLLECTION, asked("unicorn cats", filters={"filename": ["12.txt"]})).hits
    assert [hit.seq for hit in filtered] == [1200]


def test_an_extension_that_is_too_old_is_told(pgvector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_VERSION", (99, 0))
    with pytest.raises(StoreAway, match=r"the extension vector there is 0\.\d+\.\d+; update it to 99\.0 or newer"):
        pgvector.write(COLLECTION, [PETS])


def test_vectors_with_more_numbers_than_an_index_takes_are_compared_all_the_same(pgvector: Any) -> None:
    long = (1.0, *[0.0] * 4_500)
    pgvector.write(COLLECTION, [document(1, "Cats purr.", vectors=[long])])
    assert [hit.seq for hit in pgvector.search(COLLECTION, asked("kittens", long)).hits] == [100]
    pgvector.write(COLLECTION, [document(1, "Cats purr.", vectors=[CATS], state="second")])
    assert [hit.seq for hit in pgvector.search(COLLECTION, asked("kittens", CATS, state="second")).hits] == [100]
