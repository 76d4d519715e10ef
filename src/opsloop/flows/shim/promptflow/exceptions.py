"""`from promptflow.exceptions import UserErrorException, SystemErrorException`."""

from opsloop.flows.compat.exceptions import (
    ErrorResponse,
    ExceptionPresenter,
    PromptflowException,
    SystemErrorException,
    UserErrorException,
    ValidationException,
)

__all__ = [
    "ErrorResponse",
    "ExceptionPresenter",
    "PromptflowException",
    "SystemErrorException",
    "UserErrorException",
    "ValidationException",
]
