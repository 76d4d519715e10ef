"""The stores of passages, each with what it is a copy in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from opsloop.rag.stores.embedded import EmbeddedStore
from opsloop.rag.stores.pgvector import PgvectorStore
from opsloop.rag.stores.port import PassageStore


@pytest.fixture
def embedded() -> PassageStore:
    return EmbeddedStore()


@pytest.fixture
def pgvector(postgres_server: str) -> Iterator[PassageStore]:
    """A schema of its own on a real server; the wheel that brings the server brings pgvector."""
    engine = create_engine(postgres_server.replace("postgresql://", "postgresql+psycopg://"))
    schema = f"t{uuid.uuid4().hex[:12]}"
    yield PgvectorStore(engine, schema=schema)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    engine.dispose()


@pytest.fixture(params=["embedded", "pgvector"])
def store(request: pytest.FixtureRequest) -> PassageStore:
    found: PassageStore = request.getfixturevalue(request.param)
    return found
