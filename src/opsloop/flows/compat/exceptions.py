"""The exceptions that users' code catches and raises by Prompt flow's names."""

from __future__ import annotations

from typing import Any


class PromptflowException(Exception):
    """Args:
    message: the sentence; or `message_format` with named fields, which `kwargs` fill.
    """

    def __init__(self, message: str = "", message_format: str = "", target: Any = None, **kwargs: Any) -> None:
        self.message = message or message_format.format(**kwargs)
        self.target = target
        super().__init__(self.message)


class UserErrorException(PromptflowException):
    """What the user can put right."""


class SystemErrorException(PromptflowException):
    """What the user cannot."""


class ValidationException(UserErrorException):
    """Something is not in the wanted form."""


class ExceptionPresenter:
    """An exception as a mapping for people."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    @classmethod
    def create(cls, error: BaseException) -> ExceptionPresenter:
        return cls(error)

    def to_dict(self, include_debug_info: bool = False) -> dict[str, Any]:
        return {"code": type(self._error).__name__, "message": str(self._error)}


class ErrorResponse:
    """An error as an HTTP answer holds it."""

    def __init__(self, error: dict[str, Any]) -> None:
        self._error = error

    @classmethod
    def from_error_dict(cls, error: dict[str, Any]) -> ErrorResponse:
        return cls(error)

    @classmethod
    def from_exception(cls, error: BaseException) -> ErrorResponse:
        return cls(ExceptionPresenter(error).to_dict())

    @property
    def response_code(self) -> int:
        return 500

    def to_simplified_dict(self) -> dict[str, Any]:
        return {"error": self._error}

    def to_dict(self) -> dict[str, Any]:
        return {"error": self._error}
