"""Arguments as `pf` reads them: options that take several words (`--inputs a=1 b=2`), and pairs of names and values."""

from __future__ import annotations

import json
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from opsloop.core.errors import InvalidInput

# Taken and without meaning here: they are about the service, the terminal or Azure.
_FLAGS = ("--verbose", "--debug", "-d", "--skip-open-browser", "--multi-modal", "--yes", "-y", "--assume-yes")
_VALUES = ("--user-agent", "--config", "--collection", "--detail", "--url-params", "--engine")


class PfUsage(InvalidInput):
    """Arguments of `pf` that cannot be translated."""


class PfParser(ArgumentParser):
    """One command's arguments. A wrong one is a sentence, never an exit of the process."""

    def __init__(self, command: str) -> None:
        super().__init__(prog=f"pf {command}", add_help=True, allow_abbrev=False)
        for flag in _FLAGS:
            self.add_argument(flag, action="store_true", help=SUPPRESS)
        for option in _VALUES:
            self.add_argument(option, nargs="+", help=SUPPRESS)

    def error(self, message: str) -> NoReturn:
        raise PfUsage(f"`{self.prog}`: {message}", field=self.prog)

    def several(self, *names: str, help: str) -> None:
        """An option that takes words until the next option; given again it goes on."""
        self.add_argument(*names, nargs="+", action="extend", default=[], help=help)

    def variables(self) -> None:
        """Environment variables: words, files of them, or with neither the nearest `.env` file."""
        told = "NAME=value, NAME=${connection.key}, or a .env file; alone: the nearest .env"
        self.add_argument("--environment-variables", "--env", nargs="*", action="append", help=told)

    def read(self, words: Sequence[str]) -> Namespace:
        try:
            return self.parse_args(list(words))
        except SystemExit:  # --help
            raise PfHelped() from None


class PfHelped(Exception):
    """The help was printed and nothing is left to do."""


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """`name=value` words. Raises: InvalidInput."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise InvalidInput(field=option, value=word, wanted="NAME=VALUE")
        found[name.strip()] = _unquoted(value)
    return found


def values(words: Sequence[str], option: str) -> dict[str, Any]:
    """`name=value` words, or one file of JSON or JSON lines, of which the first counts. Raises: InvalidInput."""
    found: dict[str, Any] = {}
    for word in words:
        if Path(word).suffix in (".json", ".jsonl") and "=" not in word:
            found |= _of_file(Path(word), option)
        else:
            found |= pairs([word], option)
    return found


def variables(given: Sequence[Sequence[str]] | None) -> dict[str, str]:
    """What `PfParser.variables` read. Raises: InvalidInput."""
    found: dict[str, str] = {}
    for words in given or ():
        for word in words or _nearest():
            found |= pairs([word], "--environment-variables") if "=" in word else _assignments(Path(word))
    return found


def by_node(words: Sequence[str]) -> dict[str, dict[str, str]]:
    """`node.connection=NAME node.deployment_name=NAME` by node. Raises: InvalidInput."""
    found: dict[str, dict[str, str]] = {}
    for key, value in pairs(words, "--connections").items():
        node, dot, name = key.rpartition(".")
        if not dot or not node:
            raise InvalidInput(field="--connections", value=key, wanted="NODE.connection=NAME")
        found.setdefault(node, {})[name] = value
    return found


def _of_file(path: Path, option: str) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8-sig")
        found = json.loads(text.lstrip().split("\n", 1)[0] if path.suffix == ".jsonl" else text)
    except OSError as error:
        raise InvalidInput(f"{option}: {path} cannot be read ({error.strerror})", field=option) from None
    except ValueError as error:
        raise InvalidInput(f"{option}: {path} is not valid JSON ({error})", field=option) from None
    if not isinstance(found, dict):
        raise InvalidInput(field=option, value=found, wanted="a JSON object of names and values")
    return found


def _nearest() -> list[str]:
    """The nearest `.env` file: here or above; no file is no variables."""
    here = Path.cwd()
    return [str(folder / ".env") for folder in (here, *here.parents) if (folder / ".env").is_file()][:1]


def _assignments(path: Path) -> dict[str, str]:
    from opsloop.flows.formats.env_file import assignments

    try:
        return assignments(path.read_text("utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError):
        wanted = "NAME=VALUE, or a file of such lines that can be read"
        raise InvalidInput(field="--environment-variables", value=str(path), wanted=wanted) from None


def _unquoted(value: str) -> str:
    """A value without the quotes that some shells leave around it."""
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value
