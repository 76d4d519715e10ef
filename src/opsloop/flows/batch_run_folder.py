"""The folder of one batch run: what it is, its rows, its journal, its metrics.

`run.json` is replaced as a whole; `rows.jsonl` is written once, before the first row runs, so that a run that goes on
has the rows it began with; `journal.jsonl` is the truth about rows; `outputs.jsonl` and `metrics.json` are written at
the end for whoever reads files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from opsloop.core.errors import Conflict, Failed, InvalidInput, NotFound
from opsloop.flows.errors import suggestion
from opsloop.flows.lines import LinesHeld, LinesUnwritable, entry_of, holder_of
from opsloop.flows.results import NO_TOKENS, TokenUse
from opsloop.flows.row_result import RowResult, from_entry
from opsloop.flows.values import journalled, plain

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_RECORD = "run.json"


class RunMissing(NotFound):
    template = "no batch run {name!r} in {place}{near}; `opsloop flow runs list` shows those there are"


class RunThere(Conflict):
    template = "batch run {name!r} is there already ({status}); choose another name, or go on with `--resume {name}`"


class RunDamaged(Failed):
    template = "{file} is damaged: {reason}; remove {folder} and start that run again"


class RunStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class BatchRun:
    """A batch run. `completed` means that every row was run, be it that some failed; `failed` that it broke off.

    `digest` names the flow that ran; `environment_variables` are as they were written, no value of a connection is
    kept. `failed_rows` failed; `left_out` had no outputs in the earlier run. `metrics` are those that were logged.
    """

    name: str
    flow: Path
    flow_name: str
    digest: str
    status: RunStatus
    created_at: datetime
    rows: int
    folder: Path = Path()
    data: str | None = None
    run: str | None = None
    column_mapping: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    init: Mapping[str, Any] | None = None
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    display_name: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    journal: Path | None = None
    ended_at: datetime | None = None
    completed_rows: int = 0
    failed_rows: int = 0
    left_out: int = 0
    tokens: TokenUse = NO_TOKENS
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    warnings: tuple[str, ...] = ()
    is_archived: bool = False

    @property
    def journal_file(self) -> Path:
        return self.journal or self.folder / "journal.jsonl"

    @property
    def outputs_file(self) -> Path:
        return self.folder / "outputs.jsonl"


def check_name(name: str) -> str:
    """Raises: InvalidInput."""
    if not _NAME.fullmatch(name):
        wanted = "up to 200 letters, digits and ._-, a letter or digit first"
        raise InvalidInput(field="name", value=name, wanted=wanted)
    return name


def make(place: Path, run: BatchRun, rows: Iterable[Mapping[str, Any]]) -> BatchRun:
    """A new folder with the run and its rows. Raises: RunThere, LinesUnwritable."""
    folder = place / run.name
    if (folder / _RECORD).exists():
        raise RunThere(name=run.name, status=get(place, run.name).status)
    run = replace(run, folder=folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "rows.jsonl", "".join(_json(row) + "\n" for row in rows))
        save(run)
    except OSError as error:
        raise LinesUnwritable(path=folder, reason=error.strerror) from error
    return run


def copy(place: Path, run: BatchRun, earlier: BatchRun) -> BatchRun:
    """A new folder with the rows and the journal of an earlier run. Raises: RunThere, RunDamaged, LinesUnwritable."""
    made = make(place, replace(run, journal=None), rows_of(earlier))
    try:
        if earlier.journal_file.is_file():
            shutil.copyfile(earlier.journal_file, made.journal_file)
    except OSError as error:
        raise LinesUnwritable(path=made.folder, reason=error.strerror) from error
    return made


def save(run: BatchRun) -> None:
    """Replace what is kept of a run. Raises: LinesUnwritable."""
    document = msgspec.to_builtins(replace(run, folder=Path()), enc_hook=str)
    try:
        _write(run.folder / _RECORD, json.dumps(plain(document), indent=1, ensure_ascii=False))
    except OSError as error:
        raise LinesUnwritable(path=run.folder, reason=error.strerror) from error


def get(place: Path, name: str) -> BatchRun:
    """A run by its name; one whose process died reads as interrupted. Raises: RunMissing, RunDamaged, InvalidInput."""
    file = place / check_name(name) / _RECORD
    try:
        document = json.loads(file.read_bytes())
        run = msgspec.convert(document, BatchRun, strict=False, dec_hook=_path)
    except OSError:
        near = suggestion(name, names(place))
        raise RunMissing(noun="batch run", name=name, place=place, near=near) from None
    except (ValueError, msgspec.ValidationError) as error:
        raise RunDamaged(file=file, reason=error, folder=file.parent) from None
    run = replace(run, folder=file.parent)
    if run.status is RunStatus.RUNNING and holder_of(run.journal_file) is None:
        return replace(run, status=RunStatus.INTERRUPTED)
    return run


def names(place: Path) -> list[str]:
    return sorted(file.parent.name for file in place.glob(f"*/{_RECORD}"))


def rows_of(run: BatchRun) -> list[dict[str, Any]]:
    """The data it began with. Raises: RunDamaged."""
    file = run.folder / "rows.jsonl"
    try:
        return [json.loads(line) for line in file.read_text("utf-8", "surrogatepass").split("\n") if line]
    except (OSError, ValueError) as error:
        raise RunDamaged(file=file, reason=error, folder=run.folder) from None


def results_of(run: BatchRun) -> list[RowResult]:
    """The finished rows in their order, of a run that goes on too."""
    try:
        lines = run.journal_file.read_bytes().split(b"\n")
    except OSError:
        return []
    # Of a row that was run again the last counts; a line that is just being written is not one yet.
    found = {entry["row"]: entry for line in lines if (entry := entry_of(line)) is not None and "row" in entry}
    return [from_entry(found[index]) for index in sorted(found)]


def remove(run: BatchRun) -> None:
    """Raises: LinesHeld while a process works on it, LinesUnwritable."""
    if (pid := holder_of(run.journal_file)) is not None:
        raise LinesHeld(path=run.journal_file, pid=pid)
    try:
        shutil.rmtree(run.folder)
    except OSError as error:
        raise LinesUnwritable(path=run.folder, reason=error.strerror) from error


def write_outputs(run: BatchRun, rows: Iterable[RowResult], aggregate: Mapping[str, Any]) -> None:
    """The files for whoever reads files. Raises: LinesUnwritable."""
    try:
        lines = [_json({"line_number": row.index, **row.outputs}) + "\n" for row in rows if row.is_completed]
        _write(run.outputs_file, "".join(lines))
        _write(run.folder / "metrics.json", json.dumps(plain(dict(run.metrics)), indent=1))
        _write(run.folder / "aggregate.json", json.dumps(plain(aggregate), indent=1, ensure_ascii=False))
    except OSError as error:
        raise LinesUnwritable(path=run.folder, reason=error.strerror) from error


def _json(value: Any) -> str:
    return json.dumps(journalled(value), ensure_ascii=False, separators=(",", ":"))


def _write(file: Path, text: str) -> None:
    """The whole file or none of it."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    with part.open("wb") as opened:
        opened.write(text.encode("utf-8", "surrogatepass"))
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(file)


def _path(kind: type, value: Any) -> Any:
    return kind(value)
