"""The aliases of models follow what endpoints serve: `champion` serves everybody, `challenger` wants to."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.models import service as models
from opsloop.releases._tables import ReleaseRow


def crown(uow: UnitOfWork, release: ReleaseRow) -> None:
    """A release serves everybody now: the model behind it is the champion, and challenges nobody any more."""
    if release.kind == "model":
        models.set_alias(uow, release.serves, models.CHAMPION)
        dismiss(uow, release.serves)


def dismiss(uow: UnitOfWork, version: str) -> None:
    """A model version is no challenger any more; nothing when another one is, or none."""
    found = models.get(uow, version)
    if models.CHALLENGER in found.aliases:
        models.drop_alias(uow, found.name, models.CHALLENGER)
