"""What can be wrong with a place that rows come from or go to."""

from __future__ import annotations

from opsloop.core.errors import Conflict, Denied, Failed, InvalidInput, NotFound, Unavailable


class AddressInvalid(InvalidInput):
    """An address that names no place: what is wrong, and the wanted form."""


class SourceMissing(NotFound):
    template = "{where}: {what} is not there; {todo}"


class SourceDenied(Denied):
    template = "{where} does not let Opsloop in ({reason}); {todo}"


class SourceAway(Unavailable):
    template = "{where} cannot be reached ({reason}); {todo}"


class SourceUnusable(Failed):
    template = "{where} cannot be used: {reason}"


class SourceChanged(Conflict):
    template = "{where} has changed since it was looked at; try again"


class NotOurs(Conflict):
    template = (
        "{where} holds data that Opsloop did not publish, so it is left as it is; "
        "publish to another place, or replace it with --replace"
    )


class WrittenMeanwhile(Conflict):
    template = "{where} was written by somebody else meanwhile ({reason}); try again"
