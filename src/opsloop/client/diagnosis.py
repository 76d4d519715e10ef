"""Diagnosis of a log on this machine: the log is read here, piece by piece.

Where a model server is set in the environment, the lines that matter go there without secrets and personal data.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from opsloop.core import settings
from opsloop.core.errors import Failed, InvalidInput
from opsloop.core.settings import CoreSettings
from opsloop.incidents.diagnosis import engine, healthy, known
from opsloop.incidents.diagnosis.models import Diagnosis
from opsloop.incidents.diagnosis.patches.making import BYTES
from opsloop.incidents.diagnosis.reading import blocks_of
from opsloop.incidents.diagnosis.settings import DiagnosisSettings

_GZIP = b"\x1f\x8b"


def diagnose(
    stream: BinaryIO,
    *,
    provider: str | None = None,
    workflow: Path | None = None,
    passed: Sequence[Path] = (),
    signatures: Sequence[Path] = (),
) -> Diagnosis:
    """What the log in a stream says.

    Args:
        passed: logs of runs of the same job that passed; plain or gzip.
        signatures: folders with a team's own.
    Raises: InvalidInput for what `engine.diagnose` refuses; Failed when a file cannot be read.
    """
    forms: frozenset[str] | None = None
    for file in passed:
        with opened(file) as log:
            forms = (forms or frozenset()) | healthy.forms_of(blocks_of(log))
    core, ours = settings.read(CoreSettings), settings.read(DiagnosisSettings)
    is_worded = core.llm_base_url is not None and ours.diagnosis_generate
    examined = engine.examine(
        blocks_of(stream),
        named=provider,
        healthy=forms,
        workflow=_text(workflow) if workflow is not None else None,
        workflow_name=workflow.name if workflow is not None else "workflow.yml",
        signatures=known.with_team(signatures),
        regions=is_worded,
    )
    if not is_worded:
        return examined.diagnosis
    from opsloop.incidents.diagnosis.generating import asking  # brings an HTTP library that rules do without

    model = asking.provider_of(core, ours)
    return examined.diagnosis if model is None else asyncio.run(asking.worded(examined, model, ours))


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """A log, unpacked while it is read when it is gzip."""
    try:
        with file.open("rb") as raw:
            if raw.peek(2)[:2] != _GZIP:
                yield raw
                return
            with gzip.open(raw) as log:
                yield log  # type: ignore[misc]  # a GzipFile reads as a BinaryIO does
    except (OSError, EOFError) as error:
        raise Failed(f"{file}: cannot be read: {error}") from error


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > BYTES:
            raise InvalidInput(field="workflow", value=str(file), wanted=f"a file of at most {BYTES:,} bytes")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(field="workflow", value=str(file), wanted="UTF-8 text") from error
    except OSError as error:
        raise Failed(f"{file}: cannot be read: {error}") from error
