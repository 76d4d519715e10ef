"""The port: what a kind of place can do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsloop.datasets.connectors.address import Address
from opsloop.datasets.connectors.reach import Reach
from opsloop.datasets.models import Column


@dataclass(frozen=True, slots=True)
class Landed:
    """Rows brought here: a file in a format that can be registered, and the exact address they are from."""

    file: Path
    source: Address


@dataclass(frozen=True, slots=True)
class Publication:
    """A dataset version that is to stand elsewhere.

    Args:
        file: its snapshot, as Parquet.
        digest: names the rows; a place that holds these is left as it is.
        replace: overwrite what Opsloop did not publish.
    """

    dataset: str
    ref: str
    digest: str
    columns: tuple[Column, ...]
    rows: int
    file: Path
    replace: bool = False

    @property
    def marks(self) -> dict[str, str]:
        """What stands beside the rows, so that a later publication knows them."""
        return {"opsloop.dataset": self.dataset, "opsloop.version": self.ref, "opsloop.digest": self.digest}


@dataclass(frozen=True, slots=True)
class Published:
    """Where a version stands now: the exact address; `is_new` is false when it stood there already."""

    at: Address
    is_new: bool


class Connector(Protocol):
    """A kind of place. All verbs raise what `errors` of this package has, and ExtraNeeded."""

    def pin(self, address: Address, reach: Reach) -> Address:
        """The address of the state that is there now, or that the address asks for; no rows are read."""
        ...

    def land(self, pinned: Address, reach: Reach, folder: Path) -> Landed:
        """Bring the rows of a pinned address into a folder, in batches."""
        ...

    def publish(self, address: Address, reach: Reach, publication: Publication) -> Published:
        """Make the place hold a version's rows and nothing else; a place that does is left as it is."""
        ...
