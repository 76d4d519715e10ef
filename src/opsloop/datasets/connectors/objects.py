"""Objects of S3, MinIO, Google Cloud Storage and Azure Blob: one, or many by a pattern or prefix.

Credentials and addresses are those of the environment of the process that runs jobs (`AWS_ACCESS_KEY_ID`,
`AWS_ENDPOINT_URL`, `AZURE_STORAGE_ACCOUNT_NAME`, `GOOGLE_SERVICE_ACCOUNT` and so on).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from opsloop.core.errors import ExtraNeeded
from opsloop.datasets.connectors import landing, parquet_file
from opsloop.datasets.connectors.address import Address, PlaceKind
from opsloop.datasets.connectors.environment import allows_http
from opsloop.datasets.connectors.errors import NotOurs, SourceAway, SourceChanged, SourceDenied, SourceMissing
from opsloop.datasets.connectors.port import Landed, Publication, Published
from opsloop.datasets.connectors.reach import Reach
from opsloop.datasets.connectors.registry import register


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    tag: str
    size_bytes: int


class Objects:
    def pin(self, address: Address, reach: Reach) -> Address:
        with _told(address):
            return address.pinned("state", _state(_found(address)))

    def land(self, pinned: Address, reach: Reach, folder: Path) -> Landed:
        with _told(pinned):
            found = _found(pinned)
            if "state" in pinned.options and _state(found) != pinned.options["state"]:
                raise SourceChanged(where=pinned.bare)
            landing.check(pinned, [each.path for each in found], sum(each.size_bytes for each in found))
            store = _store(pinned)
            files = [_downloaded(store, pinned, each, folder / "parts" / str(n)) for n, each in enumerate(found)]
        return Landed(landing.joined(pinned, files, folder), pinned)

    def publish(self, address: Address, reach: Reach, publication: Publication) -> Published:
        parquet_file.check_target(address)
        with _told(address):
            store, key = _store(address), _key(address)
            marks = _marks(store, key)
            if marks is not None:
                if marks.get("opsloop.digest") == publication.digest:
                    return Published(address, is_new=False)
                if "opsloop.dataset" not in marks and not publication.replace:
                    raise NotOurs(where=address.bare)
            with tempfile.TemporaryDirectory(prefix="opsloop-dataset-") as folder:
                file = Path(folder) / "rows.parquet"
                parquet_file.write(publication, file)
                _library().put(store, key, file)
        return Published(address, is_new=True)


def _library() -> Any:
    try:
        import obstore  # an extra
    except ImportError as error:
        raise ExtraNeeded(what="an object store", extra="lakehouse") from error
    return obstore


def _store(address: Address) -> Any:
    _library()
    from obstore.store import from_url

    parsed = urlsplit(address.place)
    return from_url(
        f"{parsed.scheme}://{parsed.netloc}", client_options={"allow_http": bool(allows_http(address.place))}
    )


def _key(address: Address) -> str:
    # Not urlsplit: '#' and ';' may stand in a key.
    return address.place.partition("://")[2].partition("/")[2]


def _found(address: Address) -> list[_Entry]:
    """The objects of an address by their keys. Raises: SourceMissing."""
    store, key = _store(address), _key(address)
    if not landing.is_pattern(key):
        return [_entry(_library().head(store, key))]
    prefix = (key[: key.index("*")] if "*" in key else key).rpartition("/")[0]
    listed = [_entry(each) for chunk in _library().list(store, prefix or None) for each in chunk]
    by_path = {each.path: each for each in listed}
    names = landing.matching(key, list(by_path))
    if not names:
        raise SourceMissing(where=address.bare, what="an object that matches", todo="look at the pattern")
    return [by_path[name] for name in names]


def _entry(meta: Any) -> _Entry:
    return _Entry(meta["path"], meta["e_tag"] or str(meta["last_modified"]), meta["size"])


def _state(found: list[_Entry]) -> str:
    return landing.state_of([(each.path, each.tag, each.size_bytes) for each in found])


def _downloaded(store: Any, address: Address, entry: _Entry, folder: Path) -> Path:
    folder.mkdir(parents=True)
    file = folder / PurePosixPath(entry.path).name
    answer = _library().get(store, entry.path)
    if answer.meta["e_tag"] is not None and answer.meta["e_tag"] != entry.tag:
        raise SourceChanged(where=address.bare)
    with file.open("wb") as out:
        for chunk in answer.stream(min_chunk_size=4_000_000):
            out.write(chunk)
    return file


def _marks(store: Any, key: str) -> dict[str, str] | None:
    """What stands in the footer of the object; None when there is none."""
    from obstore.exceptions import NotFoundError

    try:
        _library().head(store, key)
    except (NotFoundError, FileNotFoundError):
        return None
    return parquet_file.marks_of(_Readable(_library().open_reader(store, key)))


class _Readable:
    """An object as Arrow reads files: it asks for `closed`, and wants bytes."""

    closed = False

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int = -1) -> bytes:
        return bytes(self._reader.read(size if size >= 0 else None))

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


@contextmanager
def _told(address: Address) -> Iterator[None]:
    """obstore's errors as ours."""
    _library()
    from obstore import exceptions

    where = address.bare
    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise SourceMissing(where=where, what="the object or its bucket", todo="look at the address") from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, PermissionError) as error:
        todo = "look at the credentials in the environment where jobs run"
        raise SourceDenied(where=where, reason=_said(error), todo=todo) from error
    except exceptions.BaseError as error:
        todo = "look at its address and credentials in the environment where jobs run"
        raise SourceAway(where=where, reason=_said(error), todo=todo) from error


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


register(PlaceKind.OBJECTS, Objects())
