"""Errors as exit codes and one sentence on stderr: the one place where a kind of error becomes a code."""

from __future__ import annotations

import os
import traceback

import click

from opsloop.cli import text
from opsloop.core.errors import Kind, OpsloopError

DONE = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
_CODES = {
    Kind.FAILED: FAILED,
    Kind.TIMED_OUT: FAILED,
    Kind.LIMITED: FAILED,
    Kind.INVALID: USAGE,
    Kind.TOO_LARGE: USAGE,
    Kind.MISSING: 3,
    Kind.DENIED: 4,
    Kind.ANONYMOUS: 4,
    Kind.CONFLICT: 5,
    Kind.NO: 6,
    Kind.UNAVAILABLE: 7,
    Kind.PENDING: 8,
}


def code_of(error: BaseException) -> int:
    if isinstance(error, OpsloopError):
        return _CODES[error.kind]
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return USAGE
    return FAILED


def report(error: BaseException) -> int:
    """Say on stderr what happened, and give the exit code. With OPSLOOP_DEBUG=1 a traceback comes first."""
    if os.environ.get("OPSLOOP_DEBUG") == "1":
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    # One line, whatever a name in it holds.
    click.echo(f"opsloop: {text.cell(_sentence(error))}", err=True)
    return code_of(error)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OpsloopError):
        return error.sentence
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, click.UsageError):
        return _usage(error)
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"something went wrong inside opsloop ({type(error).__name__}: {error}); OPSLOOP_DEBUG=1 shows where"


def _usage(error: click.UsageError) -> str:
    see = f"ee `{error.ctx.command_path if error.ctx is not None else 'opsloop'} --help`"
    message = error.format_message().rstrip(".")
    return f"{message} S{see}" if message.endswith("?") else f"{message}; s{see}"
