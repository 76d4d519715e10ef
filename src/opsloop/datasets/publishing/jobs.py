"""A publication as a durable job: called again after a crash, the place holds the version once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from opsloop.core.caller import system
from opsloop.core.errors import OpsloopError
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.datasets.connectors import address as addresses
from opsloop.datasets.connectors import registry as connectors
from opsloop.datasets.connectors.port import Publication, Published
from opsloop.datasets.connectors.reach import SourceSettings, reach_of
from opsloop.datasets.publishing import service
from opsloop.datasets.publishing.models import PublicationStatus
from opsloop.datasets.version_file import parquet_of

_BY = system("publication")


@job(service.KIND)
def publish(context: JobContext, payload: dict[str, Any]) -> None:
    workspace, publication = context.workspace, payload["publication"]
    with workspace.reading(_BY) as uow:
        if service.get(uow, publication).status.is_final:
            return
    try:
        done = _published(context, publication)
    except Again:
        raise
    except Exception as error:  # whatever ended the job ended the publication too; the job's rim logs it
        ended = error
        context.patiently(lambda: _fail(workspace, publication, ended))
        raise
    context.patiently(lambda: _finish(workspace, publication, done))


def _published(context: JobContext, publication: str) -> Published:
    workspace = context.workspace
    with workspace.reading(_BY) as uow:
        row = service.row_of(uow, publication)
        version, target, replace = datasets.get(uow, row.dataset), row.target, row.replace
    context.progress(0, version.rows, f"publish to {target}")
    address = addresses.parse(target)
    reach = reach_of(workspace.data_dir, workspace.section(SourceSettings))
    with tempfile.TemporaryDirectory(prefix="opsloop-publication-") as folder:
        wanted = Publication(
            dataset=version.name,
            ref=version.ref,
            digest=version.digest,
            columns=version.schema,
            rows=version.rows,
            file=parquet_of(workspace, version, _BY, Path(folder)),
            replace=replace,
        )
        return connectors.of(address).publish(address, reach, wanted)


def _finish(workspace: Workspace, publication: str, done: Published) -> None:
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, publication)
        row.status, row.at, row.is_new = PublicationStatus.DONE, str(done.at), done.is_new
        row.finished_at = uow.clock.now()
        lineage.note_use(uow, datasets.get(uow, row.dataset), "publication", row.target)
        uow.audit("dataset.published", f"dataset/{row.dataset}", at=row.at, is_new=done.is_new)


def _fail(workspace: Workspace, publication: str, error: Exception) -> None:
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, publication)
        said = error.sentence if isinstance(error, OpsloopError) else f"{type(error).__name__}: {error}"
        row.status, row.error = PublicationStatus.FAILED, said.replace("\0", "\N{REPLACEMENT CHARACTER}")
        row.finished_at = uow.clock.now()
