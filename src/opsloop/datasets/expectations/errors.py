"""What can be wrong with expectations, and with what they are about."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from opsloop.core.errors import AnswerIsNo, InvalidInput


class ExpectationInvalid(InvalidInput):
    """A declared expectation is wrong.

    Args:
        at: where it stands: `expectations[2].min`.
        known: names of which the nearest is offered.
    """

    def __init__(self, at: str, wanted: str, *, known: Iterable[str] = (), **facts: Any) -> None:
        close = get_close_matches(str(facts.get("value")), list(known), n=1)
        near = f"; did you mean {close[0]!r}?" if close else ""
        super().__init__(field=at, wanted=wanted + near, **facts)


class ExpectationsNotMet(AnswerIsNo):
    template = (
        "{dataset}: no version was made, {report}; mend the rows, change the expectations, "
        "or let them warn with `on_broken: warn`"
    )
