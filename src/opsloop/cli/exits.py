"""Errors as exit codes and one sentence on stderr."""

from __future__ import annotations

import os
import traceback

import click

from opsloop.cli import text
from opsloop.core.errors import OpsloopError
from opsloop.core.exit_codes import CODES, FAILED, INTERRUPTED, USAGE


def code_of(error: BaseException) -> int:
    if isinstance(error, OpsloopError):
        return CODES[error.kind]
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
