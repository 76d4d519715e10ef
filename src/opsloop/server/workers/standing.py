"""How many workers serve, and what they counted: in a folder that parent and workers share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = "standing.json"


@dataclass(frozen=True, slots=True)
class Count:
    wanted: int
    serving: int


class Standing:
    """Args: folder: made by the parent, gone with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tell(self, *, wanted: int, serving: int) -> None:
        """Of the parent."""
        temporary = self._folder / f".{FILE}"
        temporary.write_text(json.dumps({"wanted": wanted, "serving": serving}))
        temporary.replace(self._folder / FILE)

    def read(self) -> Count:
        """Nothing serves once the parent has gone, and its folder with it."""
        try:
            told = json.loads((self._folder / FILE).read_text())
        except FileNotFoundError:
            return Count(0, 0)
        return Count(told["wanted"], told["serving"])

    def forget(self, place: str) -> None:
        """Drop what only living workers have, such as requests under way; counters go on from where they were."""
        for file in self._folder.glob(f"gauge_live*_{place}.db"):
            file.unlink(missing_ok=True)
