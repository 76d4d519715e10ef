"""`from promptflow._sdk._errors import InvalidRunStatusError`."""

from promptflow.exceptions import UserErrorException


class InvalidRunStatusError(UserErrorException):
    """A run is not in the state that is needed: its rows failed, say."""


class RunNotFoundError(UserErrorException):
    """There is no run of that name."""


class ConnectionNotFoundError(UserErrorException):
    """There is no connection of that name."""
