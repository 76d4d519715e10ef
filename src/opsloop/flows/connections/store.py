"""Connections kept in a folder: a file that may be read, with its secrets encrypted under a key beside it.

The key (Fernet: AES-128-CBC with HMAC-SHA256) lies in a file that its owner alone can read, so a copy of
`connections.json`, in a backup or a repository, gives nothing away. No system keyring is needed.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.core.errors import Failed
from opsloop.flows.connections.kinds import CUSTOM, kind_of
from opsloop.flows.connections.models import Connection

FILE = "connections.json"
KEY = Path("keys") / "connections.key"
HOME = Path("~/.opsloop")
VERSION = 1


class StoreUnreadable(Failed):
    template = "connections in {path} cannot be read: {reason}; restore the file, or remove it and create them again"


@dataclass(frozen=True, slots=True)
class ConnectionStore:
    """The connections in a folder, by name; several processes may use one."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / FILE

    def names(self) -> list[str]:
        """Raises: StoreUnreadable."""
        return sorted(self._read())

    def get(self, name: str) -> Connection | None:
        """Raises: StoreUnreadable when the file or its key is damaged."""
        entry = self._read().get(name)
        return None if entry is None else self._opened(name, entry)

    def put(self, connection: Connection) -> None:
        """Keep a connection; one of that name is replaced. Raises: StoreUnreadable, OSError."""
        with self._changing() as entries:
            secrets = json.dumps(dict(connection.secrets)).encode()
            entries[connection.name] = {
                "type": connection.kind.name,
                "module": connection.module,
                "custom_type": connection.custom_type,
                "configs": dict(connection.configs),
                "secrets": self._cipher(is_new=True).encrypt(secrets).decode(),
            }

    def remove(self, name: str) -> bool:
        """False when there is none of that name. Raises: StoreUnreadable, OSError."""
        if name not in self._read():
            return False  # and nothing is written where there was nothing
        with self._changing() as entries:
            return entries.pop(name, None) is not None

    def _opened(self, name: str, entry: dict[str, Any]) -> Connection:
        from cryptography.fernet import InvalidToken  # only who opens a secret needs it

        try:
            secrets = json.loads(self._cipher().decrypt(entry["secrets"].encode()))
        except (InvalidToken, KeyError, ValueError) as error:
            raise StoreUnreadable(path=self.path, reason=f"{name} is not encrypted with the key beside it") from error
        kind = kind_of(str(entry.get("type"))) or CUSTOM
        return Connection(name, kind, entry.get("configs", {}), secrets, entry.get("module"), entry.get("custom_type"))

    def _cipher(self, *, is_new: bool = False) -> Any:
        from cryptography.fernet import Fernet

        place = self.folder / KEY
        try:
            if is_new and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(place, Fernet.generate_key())
            return Fernet(place.read_bytes().strip())
        except (OSError, ValueError) as error:
            raise StoreUnreadable(path=self.path, reason=f"its key {place} cannot be used ({error})") from error

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self.path.read_bytes())["connections"]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise StoreUnreadable(path=self.path, reason=str(error)) from error
        if not isinstance(found, dict):
            raise StoreUnreadable(path=self.path, reason="it holds no connections by name")
        return found

    @contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        """The entries, alone with them, and written when the block ends well."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / f"{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            entries = self._read()
            yield entries
            content = {"version": VERSION, "connections": dict(sorted(entries.items()))}
            _write_whole(self.path, json.dumps(content, indent=2).encode() + b"\n")
        finally:
            os.close(handle)


def _write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner alone."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
