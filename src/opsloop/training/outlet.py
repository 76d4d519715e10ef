"""Where the files of a training without a platform go: a folder, or an object store by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from opsloop.core.errors import ExtraNeeded, InvalidInput
from opsloop.datasets.connectors.environment import allows_http
from opsloop.training.run_errors import OutletAway

SCHEMES = ("s3", "gs", "az", "abfss", "azure")


class Outlet(Protocol):
    where: str

    def has(self, key: str) -> bool: ...

    def put(self, key: str, data: bytes) -> None: ...


def outlet_of(place: str) -> Outlet:
    """`artifacts`, `s3://bucket/team`. Raises: InvalidInput, ExtraNeeded."""
    scheme, mark, _ = place.partition("://")
    if not mark:
        return FolderOutlet(Path(place))
    if scheme not in SCHEMES or not urlsplit(place).netloc:
        raise InvalidInput(field="--to", value=place, wanted="a folder, or s3://BUCKET, gs://BUCKET, az://CONTAINER")
    return ObjectOutlet(place)


class FolderOutlet:
    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def has(self, key: str) -> bool:
        return (self._folder / key).exists()

    def put(self, key: str, data: bytes) -> None:
        file = self._folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".part-{file.name}")
        part.write_bytes(data)
        part.replace(file)


class ObjectOutlet:
    """Credentials are those of the environment: keys, or a role that a workflow's identity may take."""

    def __init__(self, place: str) -> None:
        self.where = place.rstrip("/")
        try:
            import obstore  # an extra
            from obstore.store import from_url
        except ImportError as error:
            raise ExtraNeeded(what="an object store", extra="lakehouse") from error
        self._library: Any = obstore
        parsed = urlsplit(place)
        self._prefix = parsed.path.strip("/")
        options: Any = {"allow_http": bool(allows_http(place)), "timeout": "60s"}
        with self._told():
            self._store = from_url(f"{parsed.scheme}://{parsed.netloc}", client_options=options)

    def has(self, key: str) -> bool:
        with self._told():
            try:
                self._library.head(self._store, self._key(key))
            except FileNotFoundError:
                return False
            return True

    def put(self, key: str, data: bytes) -> None:
        with self._told():
            self._library.put(self._store, self._key(key), data)

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # obstore says in many classes that it could not
            reason = str(error).strip().splitlines()
            raise OutletAway(where=self.where, reason=reason[0][:300] if reason else type(error).__name__) from error
