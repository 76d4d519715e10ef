"""Who asked, as a keyed hash: the same subject gives the same text, and the text does not give the subject.

The key is made once per installation and kept in the state database, so that every gateway replica gives a subject the
same text and with it the same arm. It keeps names out of records, logs and exports; it does not protect them from
somebody who can read the whole database.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.caller import system
from opsloop.core.workspace import Workspace
from opsloop.monitoring._tables import SubjectKeyRow

DIGEST_BYTES = 16


class Subjects:
    """Args: key: 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, name: str) -> str:
        """The text for a name: 32 hexadecimal digits of keyed BLAKE2b (RFC 7693)."""
        # surrogatepass: a name from JSON may hold a lone surrogate, and is a name all the same.
        return hashlib.blake2b(
            name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=DIGEST_BYTES
        ).hexdigest()


def subjects(workspace: Workspace) -> Subjects:
    """The installation's hash; its key is made at the first call."""
    with workspace.reading(system("monitoring")) as uow:
        row = uow.session.get(SubjectKeyRow, 1)
    if row is None:
        row = _make(workspace)
    return Subjects(bytes.fromhex(row.key))


def _make(workspace: Workspace) -> SubjectKeyRow:
    with workspace.writing(system("monitoring")) as uow:
        # Two replicas may start at once: the first one's key stays.
        insert = sqlite.insert if workspace.database.is_sqlite else postgresql.insert
        values = {"id": 1, "key": secrets.token_hex(32)}
        uow.session.execute(insert(SubjectKeyRow).values(values).on_conflict_do_nothing(index_elements=["id"]))
        return uow.session.get_one(SubjectKeyRow, 1)
