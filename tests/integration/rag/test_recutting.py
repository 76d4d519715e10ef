"""Documents cut in another way are the same documents, found and quoted as before."""

from __future__ import annotations

import pytest

from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.documents.recutting import recut
from opsloop.rag.models import CollectionMissing

LONG = " ".join(f"Rule {number} says that room {number} closes at hour {number} of the day." for number in range(80))
PASSAGES = b'{"_id": "plan.pdf#page=1", "text": "The garden opens in spring."}\n'


@pytest.fixture
def rules(workspace: Workspace, admin: Caller) -> Workspace:
    with workspace.writing(admin) as uow:
        service.upload(uow, "rules", "rules.txt", LONG.encode())
        service.upload_passages(uow, "rules", PASSAGES)
    return workspace


def test_documents_are_cut_anew_and_keep_their_ids(rules: Workspace, admin: Caller) -> None:
    with rules.reading(admin) as uow:
        before = {each.filename: each for each in service.list_documents(uow, "rules")}
        assert service.search(uow, "rules", "When does room 41 close?")  # its index is in memory now
    with rules.writing(admin) as uow:
        assert recut(uow, "rules", "sentences").chunking == "sentences"
    with rules.reading(admin) as uow:
        after = {each.filename: each for each in service.list_documents(uow, "rules")}
        assert {name: each.id for name, each in after.items()} == {name: each.id for name, each in before.items()}
        assert after["rules.txt"].chunks < before["rules.txt"].chunks
        assert after["plan.pdf"].chunks == before["plan.pdf"].chunks
        assert service.stats(uow, "rules").chunks == sum(each.chunks for each in after.values())
        reply = service.query(uow, "rules", "At what hour does room 41 close?")
        assert "room 41 closes at hour 41" in reply.answer
        for one in reply.citations:
            assert LONG[one.start : one.end] == one.quote
        assert service.search(uow, "rules", "When does the garden open?")[0].passage_id == "plan.pdf#page=1"


def test_what_cannot_be_cut_so_is_refused(rules: Workspace, admin: Caller) -> None:
    with rules.writing(admin) as uow:
        with pytest.raises(InvalidInput, match="chunking"):
            recut(uow, "rules", "pages")
        with pytest.raises(CollectionMissing):
            recut(uow, "nowhere", "words-500")
        assert recut(uow, "rules", "sentences-200").chunking == "sentences-200"
