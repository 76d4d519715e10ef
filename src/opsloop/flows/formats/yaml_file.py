"""Reading a YAML file that somebody else wrote: data only, bounded in size, depth and what its aliases expand to."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

from opsloop.flows.errors import FlowInvalid

SIZE_LIMIT_BYTES = 1_000_000
EXPANDED_LIMIT = 200_000
DEPTH_LIMIT = 60


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping at the root of a YAML file. Dates become ISO text: an unquoted `2024-02-01` means just that.

    Raises: FlowInvalid naming the file and where in it.
    """
    return parse_mapping(path.read_bytes(), file=path.name)


def parse_mapping(data: bytes, *, file: str) -> dict[str, Any]:
    if len(data) > SIZE_LIMIT_BYTES:
        raise FlowInvalid(file=file, field="the file", value=f"{len(data)} bytes", wanted=f"<= {SIZE_LIMIT_BYTES}")
    try:
        text = data.decode("utf-8-sig")
        _check_depth(text, file)
        document = YAML(typ="safe", pure=True).load(text)
    except UnicodeDecodeError as error:
        raise FlowInvalid(file=file, field=f"byte {error.start}", wanted="UTF-8 text") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "the file"
        raise FlowInvalid(file=file, field=where, wanted=f"valid YAML ({error.problem or error.context})") from None
    except RecursionError:
        raise FlowInvalid(file=file, field="the file", wanted=f"at most {DEPTH_LIMIT} levels of nesting") from None
    except (YAMLError, ValueError) as error:
        raise FlowInvalid(file=file, field="the file", wanted=f"valid YAML ({str(error).splitlines()[0]})") from None
    if document is None:
        document = {}
    if not isinstance(document, dict):
        wanted = f"a mapping of keys to values, it is a {type(document).__name__}"  # what it holds may be a secret
        raise FlowInvalid(file=file, field="the file", wanted=wanted)
    _Bounds(file).check(document)
    plain: dict[str, Any] = _plain(document)
    return plain


def _check_depth(text: str, file: str) -> None:
    """Done before anything is built: building takes time that grows with the square of the depth."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEPTH_LIMIT:
            raise FlowInvalid(file=file, field="the file", wanted=f"at most {DEPTH_LIMIT} levels of nesting")


class _Bounds:
    """Counts what a document is once its aliases are written out, without writing them out."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.sizes: dict[int, int] = {}
        self.open: set[int] = set()

    def check(self, document: object) -> None:
        if self.size(document, 0) > EXPANDED_LIMIT:
            raise FlowInvalid(file=self.file, field="the file", wanted=f"<= {EXPANDED_LIMIT} values, aliases expanded")

    def size(self, value: object, depth: int) -> int:
        if not isinstance(value, dict | list | set):
            return 1
        known = self.sizes.get(id(value))
        if known is not None:
            return known
        if id(value) in self.open:
            raise FlowInvalid(file=self.file, field="the file", wanted="aliases that do not contain themselves")
        if depth > DEPTH_LIMIT:  # through aliases
            raise FlowInvalid(file=self.file, field="the file", wanted=f"at most {DEPTH_LIMIT} levels of nesting")
        self.open.add(id(value))
        parts = value.values() if isinstance(value, dict) else value
        total = 1 + sum(self.size(part, depth + 1) for part in parts)
        self.open.discard(id(value))
        self.sizes[id(value)] = total
        return total


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key) if not isinstance(key, str) else key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | set):
        return [_plain(part) for part in value]
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    return value
