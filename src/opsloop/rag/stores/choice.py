"""A store by its name. An adapter and what it needs are loaded where it is first used."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from weakref import WeakKeyDictionary

import httpx
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from opsloop.core.errors import ExtraNeeded, InvalidInput, Unavailable
from opsloop.core.workspace import Workspace
from opsloop.rag.models import EMBEDDED
from opsloop.rag.settings import RagSettings
from opsloop.rag.stores.port import PassageStore, StoreAway


class StoreNotSet(Unavailable):
    template = "the store {store} is not set on this installation: set {setting}"


def named(workspace: Workspace, name: str) -> PassageStore:
    """The store with that name, opened once for a workspace; nothing is asked of it.

    Raises: InvalidInput for a name that is none; StoreNotSet; ExtraNeeded;
        StoreAway where the environment does not say which region.
    """
    if name not in STORES:
        raise InvalidInput(field="store", value=name, wanted=" or ".join([EMBEDDED, *STORES]))
    with _LOCK:
        opened = _OPENED.setdefault(workspace, {})
        if name not in opened:
            opened[name] = STORES[name](workspace, workspace.section(RagSettings))
        return opened[name]


def _pgvector(workspace: Workspace, settings: RagSettings) -> PassageStore:
    from opsloop.rag.stores.pgvector import PgvectorStore

    if settings.rag_pgvector_url is not None:
        engine = _engine(workspace, settings.rag_pgvector_url)
    elif workspace.database.is_sqlite:
        raise StoreNotSet(store=PgvectorStore.name, setting="OPSLOOP_RAG_PGVECTOR_URL")
    else:
        engine = workspace.database.engine
    return PgvectorStore(engine, schema=settings.rag_pgvector_schema)


def _engine(workspace: Workspace, url: str) -> Engine:
    """A pool of connections that closes when the workspace goes. Raises: InvalidInput."""
    wanted = "postgresql://USER@HOST/DATABASE"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput(field="rag_pgvector_url", value=url.partition("://")[0], wanted=wanted) from error
    if parsed.get_backend_name() != "postgresql":
        raise InvalidInput(field="rag_pgvector_url", value=parsed.drivername, wanted=wanted)
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )
    weakref.finalize(workspace, engine.dispose)
    return engine


def _dynamodb(workspace: Workspace, settings: RagSettings) -> PassageStore:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError as error:
        raise ExtraNeeded(what="the store dynamodb", extra="aws") from error
    from opsloop.rag.stores.dynamodb import DynamoDbStore

    if settings.rag_s3_bucket is None:
        raise StoreNotSet(store=DynamoDbStore.name, setting="OPSLOOP_RAG_S3_BUCKET")
    patience = Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=30, retries={"mode": "standard"})
    session = boto3.session.Session()
    try:
        database, objects = (session.client(name, config=patience) for name in ("dynamodb", "s3"))
    except BotoCoreError as error:  # no region, for one
        raise StoreAway(store=DynamoDbStore.name, reason=str(error)) from error
    return DynamoDbStore(
        database,
        objects,
        table=settings.rag_dynamodb_table,
        bucket=settings.rag_s3_bucket,
        prefix=settings.rag_s3_prefix,
    )


def _azure_search(workspace: Workspace, settings: RagSettings) -> PassageStore:
    from opsloop.rag.stores.azure_search import AzureSearchStore

    if settings.rag_azure_search_url is None or settings.rag_azure_search_key is None:
        wanted = "OPSLOOP_RAG_AZURE_SEARCH_URL and OPSLOOP_RAG_AZURE_SEARCH_KEY"
        raise StoreNotSet(store=AzureSearchStore.name, setting=wanted)
    client = httpx.Client(
        base_url=settings.rag_azure_search_url,
        headers={"api-key": settings.rag_azure_search_key},
        timeout=httpx.Timeout(30.0, connect=CONNECT_TIMEOUT_S),
    )
    weakref.finalize(workspace, client.close)
    return AzureSearchStore(client, prefix=settings.rag_azure_search_prefix)


STORES: dict[str, Callable[[Workspace, RagSettings], PassageStore]] = {
    "pgvector": _pgvector,
    "dynamodb": _dynamodb,
    "azure-search": _azure_search,
}
_OPENED: WeakKeyDictionary[Workspace, dict[str, PassageStore]] = WeakKeyDictionary()
_LOCK = threading.Lock()
CONNECT_TIMEOUT_S = 5
