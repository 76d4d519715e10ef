"""A project's preparations on the platform: with the code they name, and the files where the platform has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.client.http import Client
from opsloop.client.project import PreparationWanted
from opsloop.core.errors import Failed, InvalidInput
from opsloop.datasets.models import DatasetVersion
from opsloop.datasets.preparation.models import PreparationRun, PreparationStatus

RAW = "{name}.raw"


class PreparationFailed(Failed):
    template = "{what} failed: {reason}"


@dataclass(frozen=True, slots=True)
class Ready:
    """A preparation as the platform gets it; `upload` is the file that goes there first, as a dataset of its own."""

    declared: dict[str, Any]
    upload: Path | None = None


def ready(client: Client, wanted: PreparationWanted) -> Ready:
    """The declaration with its code in it. A platform elsewhere cannot read this folder, so its files are uploaded.

    Raises: InvalidInput when a file it names is not there.
    """
    declared = {**wanted.declared, "clean": [_with_code(wanted, each) for each in wanted.declared.get("clean") or ()]}
    source = wanted.declared["read"].get("source")
    file = wanted.folder / source if isinstance(source, str) else None
    if client.is_local or file is None or not file.is_file():
        return Ready(declared)
    return Ready({**declared, "read": {"dataset": RAW.format(name=wanted.name)}}, file)


def put(client: Client, wanted: PreparationWanted) -> None:
    """Let the platform know a preparation as the project has it, and its schedule."""
    found = ready(client, wanted)
    if found.upload is not None:
        client.datasets.register(RAW.format(name=wanted.name), found.upload)
    client.preparations.put(wanted.name, found.declared)


def run(
    client: Client,
    name: str,
    *,
    timeout_s: float | None = None,
    tell: Callable[[PreparationRun], None] = lambda _: None,
) -> PreparationRun:
    """Run a preparation to its end. Raises: PreparationFailed, PreparationGoesOn."""
    started = client.preparations.start(name)
    return _done(client.preparations.wait(started.id, timeout_s=timeout_s, tell=tell), f"preparation {name}")


def import_from(
    client: Client,
    name: str,
    source: str | dict[str, Any],
    *,
    tags: Sequence[str] = (),
    tell: Callable[[PreparationRun], None] = lambda _: None,
) -> tuple[PreparationRun, DatasetVersion]:
    """Register what stands elsewhere, and wait for the version. Raises: PreparationFailed."""
    started = client.preparations.start_import(name, source, tags=tags)
    done = _done(client.preparations.wait(started.id, tell=tell), f"registering {name}")
    return done, client.datasets.get(done.versions[0].ref)


def _done(found: PreparationRun, what: str) -> PreparationRun:
    if found.status is PreparationStatus.FAILED:
        raise PreparationFailed(what=what, reason=found.error, run=found.id)
    return found


def _with_code(wanted: PreparationWanted, step: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(step.get("python"), str):
        return step
    entry = step["python"]
    file = wanted.folder / entry.rpartition(":")[0]
    try:
        return {"python": {"entry": entry, "code": file.read_text(encoding="utf-8")}}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"preparations.{wanted.name}: {file} cannot be read ({error}); wanted a file of Python", field="python"
        ) from None
