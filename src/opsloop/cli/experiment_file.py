"""The experiment that a command is about."""

from __future__ import annotations

from pathlib import Path

from opsloop.cli.session import Session


def experiment_file(session: Session, experiment: str) -> Path:
    """The file that is named, or the one of that name in opsloop.yaml. Raises: NotFound."""
    from opsloop.core.errors import NotFound

    if Path(experiment).is_file():
        return Path(experiment)
    known = session.project.experiments
    if experiment not in known:
        names = ", ".join(known) or "none"
        raise NotFound(f"no experiment {experiment!r}: it is neither a file nor one that opsloop.yaml names ({names})")
    return known[experiment]
