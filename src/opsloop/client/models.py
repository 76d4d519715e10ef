"""Trained models in the registry."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from opsloop.client.connection import Connection, path
from opsloop.models.comparison import ModelComparison
from opsloop.models.models import ModelVersion

if TYPE_CHECKING:
    from opsloop.models.candidate import Candidate

AT = "/api/models"
FILE_TIMEOUT_S = 600.0


class Models:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self) -> list[ModelVersion]:
        """The newest version of every model."""
        return self._connection.items(AT, ModelVersion)

    def versions(self, name: str, *, limit: int = 200) -> list[ModelVersion]:
        """The versions of a model, newest first."""
        return self._connection.items(path("api", "models", name), ModelVersion, limit=limit)

    def get(self, ref: str) -> ModelVersion:
        """The version a text names: `iris@3`, `iris@champion`, or `iris` for the newest."""
        return self._connection.get(_at(ref), ModelVersion)

    def compare(self, base: str, head: str) -> ModelComparison:
        return self._connection.get(f"{AT}/compare", ModelComparison, base=base, head=head)

    def set_alias(self, ref: str, alias: str) -> ModelVersion:
        """Let an alias point at the version that `ref` names."""
        name, version = _parts(ref)
        return self._connection.put(
            path("api", "models", name, "aliases", alias), ModelVersion, body={"version": version}
        )

    def drop_alias(self, name: str, alias: str) -> None:
        """Take an alias away; nothing happens when there is none."""
        self._connection.delete(path("api", "models", name, "aliases", alias))

    def export(self, ref: str, folder: Path) -> list[str]:
        """Write the bundle of a version as a folder; the names of its files."""
        from opsloop.models import transfer

        with tempfile.TemporaryDirectory(prefix="opsloop-model-") as place:
            file = Path(place) / "bundle.zip"
            self._connection.save(_at(ref) + "/bundle", file, timeout_s=FILE_TIMEOUT_S)
            return transfer.written(transfer.unpacked(file), folder)

    def register(self, name: str, candidate: Candidate, *, dataset: str = "", alias: str = "") -> ModelVersion:
        """Register a model with what belongs to it; the same bundle is registered once.

        Args:
            dataset: version it was trained on, where the platform has that.
            alias: points at the version from now on.
        """
        from opsloop.models import transfer

        with tempfile.TemporaryDirectory(prefix="opsloop-model-") as place:
            file = Path(place) / "bundle.zip"
            file.write_bytes(transfer.packed_candidate(candidate))
            return self._connection.post_file(
                path("api", "models", name, "versions"),
                ModelVersion,
                file,
                timeout_s=FILE_TIMEOUT_S,
                dataset=dataset or None,
                alias=alias or None,
            )


def _parts(ref: str) -> tuple[str, str]:
    name, _, version = ref.partition("@")
    return name, version or "latest"


def _at(ref: str) -> str:
    name, version = _parts(ref)
    return path("api", "models", name, "versions", version)
