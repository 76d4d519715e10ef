"""What must hold of datasets, what is held out of them, and whether it stands elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.core.errors import InvalidInput
from opsloop.datasets.contamination_models import ContaminationReport, Passage
from opsloop.datasets.findings import DatasetPolicy, ExpectationReport, Holdout
from opsloop.datasets.models import DatasetVersion


class DatasetChecks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def policy(self, name: str) -> DatasetPolicy:
        """What is declared for all versions of a dataset."""
        return self._connection.get(path("api", "datasets", name, "policy"), DatasetPolicy)

    def change_policy(
        self,
        name: str,
        *,
        expectations: Sequence[Mapping[str, Any]] | None = None,
        on_broken: str | None = None,
        pii: str | None = None,
    ) -> DatasetPolicy:
        """Declare what is given; the rest stays."""
        body = {"expectations": expectations, "on_broken": on_broken, "pii": pii}
        return self._connection.post(path("api", "datasets", name, "policy"), DatasetPolicy, body=body)

    def validate(self, ref: str, expectations: Sequence[Mapping[str, Any]] | None = None) -> ExpectationReport:
        """How a version fares under expectations; without any under those of its dataset."""
        name, version = _whole(ref)
        at = path("api", "datasets", name, "versions", version, "validate")
        return self._connection.post(at, ExpectationReport, body={"expectations": expectations})

    def holdout(self, name: str) -> Holdout | None:
        """What is held out of a dataset."""
        at = path("api", "datasets", name, "holdout")
        found: Holdout | None = self._connection.get(at, Holdout | None)  # type: ignore[arg-type]  # a union is a type here
        return found

    def freeze(
        self, ref: str, share: float, *, seed: int = 0, by: str | None = None, reason: str | None = None
    ) -> DatasetVersion:
        """Hold out a share of a version's rows."""
        name, version = _whole(ref)
        at = path("api", "datasets", name, "versions", version, "freeze")
        body = {"share": share, "seed": seed, "by": by, "reason": reason}
        return self._connection.post(at, DatasetVersion, body=body)

    def contamination(
        self,
        ref: str,
        *,
        against: Sequence[str] = (),
        texts: Sequence[Passage] = (),
        threshold: float | None = None,
    ) -> ContaminationReport:
        """Which rows of a version stand in other datasets or in texts."""
        whole, _, part = ref.partition("/")
        name, version = _whole(whole)
        named = f"{version}/{part}" if part else version
        body: dict[str, Any] = {"version": named, "against": against, "texts": texts}
        if threshold is not None:
            body["threshold"] = threshold
        return self._connection.post(path("api", "datasets", name, "contamination"), ContaminationReport, body=body)


def _whole(ref: str) -> tuple[str, str]:
    """Name and version of a text that names all rows of a version."""
    if "/" in ref:
        raise InvalidInput(
            field="version", value=ref, wanted="NAME or NAME@V without a part: all of its rows are meant"
        )
    name, _, version = ref.partition("@")
    return name, version or "latest"
