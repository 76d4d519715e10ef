"""Which folders of this machine an address may name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from opsloop.core.settings import Section
from opsloop.datasets.connectors.errors import AddressInvalid


class SourceSettings(Section):
    source_folders: str = Field(
        "",
        description="Folders beside the project's that addresses of data may name, as paths with ':' between them.",
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """The project's folder without the data folder in it, where the keys lie, and what settings add."""

    project: Path
    data_dir: Path
    also: tuple[Path, ...] = ()

    def path(self, place: str) -> Path:
        """The path that an address names; symbolic links count as what they point to. Raises: AddressInvalid."""
        found = (self.project / place.removeprefix("//")).resolve()
        allowed = [folder.resolve() for folder in (self.project, *self.also)]
        kept = self.data_dir.resolve()
        if not any(found.is_relative_to(folder) for folder in allowed) or found.is_relative_to(kept):
            wanted = "a path in the project's folder, or in one that OPSLOOP_SOURCE_FOLDERS names"
            raise AddressInvalid(field="address", value=place, wanted=wanted)
        return found


def reach_of(data_dir: Path, settings: SourceSettings) -> Reach:
    """The project is the folder that holds the data folder."""
    also = tuple(Path(part).expanduser().absolute() for part in settings.source_folders.split(os.pathsep) if part)
    return Reach(data_dir.absolute().parent, data_dir.absolute(), also)
