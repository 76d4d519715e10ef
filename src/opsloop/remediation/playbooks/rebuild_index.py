"""Rebuild: a change of a collection is a suspect, and what was changed are its texts or vectors."""

from __future__ import annotations

import re

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.models import Incident, Suspect
from opsloop.rag import service as rag
from opsloop.remediation.playbooks.playbook import Fit

_NAME = re.compile(r"collection/(?P<name>[a-z0-9._-]{1,63})")
MOST = 3


class RebuildIndex:
    name = "rebuild-index"
    title = "Make the vectors of the changed collection anew"
    action = "index.rebuild"

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        found = (self._fit(uow, incident, rank, each) for rank, each in enumerate(incident.suspects[:MOST], 1))
        return [each for each in found if each is not None][:1]

    def _fit(self, uow: UnitOfWork, incident: Incident, rank: int, suspect: Suspect) -> Fit | None:
        named = _NAME.match(suspect.name)
        if suspect.kind != "change" or named is None:
            return None
        name = named["name"]
        try:
            stats = rag.stats(uow, name)
        except NotFound:
            return None
        others = (f"it is suspect {rank}, not the first",) if rank > 1 else ()
        return Fit(
            target=f"collection/{name}",
            endpoint=incident.endpoint,
            because=(f"collection {name} changed", *suspect.evidence),
            against=(*others, *suspect.counter_evidence),
            questions=(
                f"Are the texts of collection {name} right, so that only their vectors are in question?",
                f"Do questions whose answer is surely in {name} find nothing, or the wrong passages?",
            ),
            checklist=(
                f"See what the collection holds: opsloop rag stats {name}",
                "Search for a text that is surely there, and see whether it is found",
                f"Make the vectors of its {stats.chunks} chunks anew",
            ),
            parameters={"collection": name},
        )


PLAYBOOK = RebuildIndex()
