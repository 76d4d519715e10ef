"""The stores of passages, each with what it is a copy in."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine

from opsloop.rag.stores.azure_search import AzureSearchStore
from opsloop.rag.stores.embedded import EmbeddedStore
from opsloop.rag.stores.pgvector import PgvectorStore
from opsloop.rag.stores.port import PassageStore
from tests.azure_search import KEY, AzureSearch, azure_search_running


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


# By name: benchmarks are programs, and no package to type checkers.
MOTO: str = resolve_name("benchmarks._peers:MOTO")
STARTS_WITHIN_S = 120


def moto_program() -> Path | None:
    """`moto_server` on the path, or where benchmarks keep it."""
    found = shutil.which("moto_server")
    if found:
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opsloop-bench"
    kept = cache / f"{MOTO.replace('==', '-')}-{sys.implementation.cache_tag}"
    return kept / "bin" / "moto_server" if (kept / ".installed").is_file() else None


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real moto server, which keeps DynamoDB and S3 in memory; skips where there is none."""
    program = moto_program()
    if program is None:
        pytest.skip(f"no moto server: `bash .ci/run` keeps {MOTO} in the cache, or install one on the path")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as told:
        running = subprocess.Popen([str(program), "-H", "127.0.0.1", "-p", str(port)], stdout=told, stderr=told)
    try:
        _wait(port, running, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def _wait(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until_s:
        assert running.poll() is None, log.read_text()[-2000:]
        with socket.socket() as there:
            if there.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"moto did not start within {STARTS_WITHIN_S} s:\n{log.read_text()[-2000:]}")


@pytest.fixture
def aws(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """boto3, in an environment that leads it to that server."""
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'opsloop[aws]'")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return boto3


@pytest.fixture
def dynamodb(aws: Any) -> PassageStore:
    """A table and a prefix of its own on the server; the table is made by the store."""
    from opsloop.rag.stores.dynamodb import DynamoDbStore  # botocore is an extra

    name = f"t{uuid.uuid4().hex[:12]}"
    objects = aws.client("s3")
    objects.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return DynamoDbStore(aws.client("dynamodb"), objects, table=name, bucket=name, prefix="documents/")


@pytest.fixture
def azure_service() -> Iterator[AzureSearch]:
    with azure_search_running() as service:
        yield service


@pytest.fixture
def azure(azure_service: AzureSearch) -> Iterator[PassageStore]:
    """The store in front of a scripted server; it was never held against the service itself."""
    headers = {"api-key": KEY}
    with httpx.Client(base_url=azure_service.url, headers=headers, trust_env=False, timeout=60) as client:
        yield AzureSearchStore(client, prefix="opsloop-", pause=lambda _: None)


@pytest.fixture(params=["embedded", "pgvector", "dynamodb", "azure"])
def store(request: pytest.FixtureRequest) -> PassageStore:
    found: PassageStore = request.getfixturevalue(request.param)
    return found
