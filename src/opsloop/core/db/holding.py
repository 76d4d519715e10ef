"""A row that a transaction holds until it ends, made where there is none."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opsloop.core.db.base import Row

R = TypeVar("R", bound=Row)


def held_or_made(session: Session, made: R, key: str) -> R:
    """The row of a primary key. Args: made: what it is at first, where nobody made it yet."""
    kind = type(made)
    if (row := session.get(kind, key, with_for_update=True)) is not None:
        return row
    try:
        with session.begin_nested():
            session.add(made)
        return made
    except IntegrityError:  # PostgreSQL: another transaction made it meanwhile
        return session.get_one(kind, key, with_for_update=True)
