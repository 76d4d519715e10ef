"""Judges: registered, and held against people's labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsloop.client import yaml_lines
from opsloop.client.connection import Connection, path
from opsloop.client.experiment_functions import text_of
from opsloop.client.waiting import last, looks
from opsloop.core.errors import StillPending
from opsloop.evaluation.judges.models import Calibration, JudgeShown, JudgeVersion

AT = "/api/judges"
POLL_S = 0.3


class CalibrationGoesOn(StillPending):
    template = "the calibration of judge {judge} goes on ({done} of {total} rows); look again with `opsloop judge show`"


class Judges:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def register(self, name: str, file: Path) -> JudgeVersion:
        """Keep the judge in a file. Raises: YamlUnreadable, InvalidInput; what is wrong in it names the key."""
        return self.register_declared(name, read(file))

    def register_declared(self, name: str, declared: Mapping[str, Any]) -> JudgeVersion:
        return self._connection.post(AT, JudgeVersion, body={"name": name, "declared": dict(declared)})

    def listed(self, *, name: str | None = None) -> list[JudgeVersion]:
        """The current version of every judge; with a name all its versions, newest first."""
        return self._connection.items(AT, JudgeVersion, name=name)

    def get(self, judge: str) -> JudgeShown:
        """A version such as `helpful@2`, with its calibrations."""
        return self._connection.get(path("api", "judges", judge), JudgeShown)

    def calibrate(
        self,
        judge: str,
        dataset: str,
        *,
        labels: Sequence[str] = (),
        mappings: Mapping[str, str] | None = None,
        retest: int | None = None,
    ) -> Calibration:
        """Start holding a judge against the labels of a dataset version."""
        body: dict[str, Any] = {"dataset": dataset, "labels": list(labels), "mappings": dict(mappings or {})}
        if retest is not None:
            body["retest"] = retest
        return self._connection.post(path("api", "judges", judge, "calibrations"), Calibration, body=body)

    def calibration(self, id: str) -> Calibration:
        return self._connection.get(path("api", "judges", "calibrations", id), Calibration)

    def wait(
        self,
        calibration: str,
        *,
        timeout_s: float | None = None,
        tell: Callable[[Calibration], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> Calibration:
        """The calibration once it is over; `tell` hears of it meanwhile. Raises: CalibrationGoesOn."""

        def is_over(found: Calibration) -> bool:
            return found.status.is_final

        each = looks(lambda: self.calibration(calibration), is_over, timeout_s=timeout_s, every_s=POLL_S, pause=pause)
        found = last(each, tell)
        if not is_over(found):
            raise CalibrationGoesOn(judge=found.judge, done=found.done, total=found.total)
        return found


def read(file: Path) -> dict[str, Any]:
    """The judge in a file; a prompty that it names beside it, or that the file is, as its text."""
    if file.suffix == ".prompty":
        return {"prompty": text_of(file, "file", str(file))}
    return with_prompty(yaml_lines.read(file).values, file.parent, "prompty")


def with_prompty(declared: Mapping[str, Any], folder: Path, field: str) -> dict[str, Any]:
    named = declared.get("prompty")
    if not isinstance(named, str) or not named.endswith(".prompty") or "\n" in named:
        return dict(declared)
    return {**declared, "prompty": text_of(folder / named, field, named)}
