"""A YAML mapping as plain values, with the line on which each key stands."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from opsloop.core.errors import InvalidInput

SIZE_LIMIT_BYTES = 1_000_000
NODES_LIMIT = 50_000  # aliases written out: a few lines of nested aliases would otherwise fill the memory
DEPTH_LIMIT = 50
KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinedMapping:
    """Values, and for each key path (indexes as text) the line it stands on, from 1."""

    values: dict[str, Any]
    lines: dict[KeyPath, int]


class YamlUnreadable(InvalidInput):
    template = "{file}{line}: {reason}"

    def __init__(self, *, file: Path, reason: str, line: int | None = None) -> None:
        at = f":{line}" if line else ""
        super().__init__(f"{file}{at}: {reason}", file=str(file), line=line, reason=reason)


def read(file: Path) -> LinedMapping:
    """The mapping at the root of a file. Dates become ISO text. Raises: YamlUnreadable with file and line."""
    root = _compose(file)
    if root is None:
        return LinedMapping({}, {})
    if not isinstance(root, MappingNode):
        raise YamlUnreadable(file=file, line=_line(root), reason="wanted a mapping of keys to values")
    reader = _Reader(file)
    values = reader.value(root, ())
    assert isinstance(values, dict)
    return LinedMapping(values, reader.lines)


def _compose(file: Path) -> Node | None:
    try:
        if file.stat().st_size > SIZE_LIMIT_BYTES:
            raise YamlUnreadable(file=file, reason=f"is over the limit of {SIZE_LIMIT_BYTES} bytes")
        text = file.read_bytes().decode("utf-8-sig")
        _check_depth(file, text)
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
        return root
    except OSError as error:
        raise YamlUnreadable(file=file, reason=f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise YamlUnreadable(file=file, reason=f"is not UTF-8 text (byte {error.start})") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = f"not valid YAML: {error.problem or error.context}"
        raise YamlUnreadable(file=file, line=mark.line + 1 if mark else None, reason=reason) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reason = "not valid YAML: a character that text does not hold"
        raise YamlUnreadable(file=file, line=line, reason=reason) from None
    except (YAMLError, RecursionError) as error:
        raise YamlUnreadable(file=file, reason=f"not valid YAML: {str(error).splitlines()[0]}") from None


def _check_depth(file: Path, text: str) -> None:
    """Done before anything is built: building takes time that grows with the square of the depth."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEPTH_LIMIT:
            raise _too_deep(file, event.start_mark.line + 1)


def _too_deep(file: Path, line: int) -> YamlUnreadable:
    return YamlUnreadable(file=file, line=line, reason=f"is over {DEPTH_LIMIT} levels deep")


class _Reader:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self._constructor = YAML(typ="safe", pure=True).constructor
        self._seen = 0

    def value(self, node: Node, at: KeyPath) -> Any:
        self._seen += 1
        if self._seen > NODES_LIMIT:
            raise YamlUnreadable(file=self.file, line=_line(node), reason=f"holds over {NODES_LIMIT} values")
        if len(at) > DEPTH_LIMIT:
            raise _too_deep(self.file, _line(node))  # through aliases
        if isinstance(node, MappingNode):
            return self._mapping(node, at)
        if isinstance(node, SequenceNode):
            return [self.value(part, (*at, str(index))) for index, part in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node)

    def _mapping(self, node: MappingNode, at: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in found:
                raise YamlUnreadable(file=self.file, line=_line(key_node), reason=f"the key {key!r} stands twice")
            self.lines[(*at, key)] = _line(key_node)
            found[key] = self.value(value_node, (*at, key))
        return found

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise YamlUnreadable(file=self.file, line=_line(node), reason="wanted text as a key")
        return str(node.value)

    def _scalar(self, node: ScalarNode) -> Any:
        try:
            value = self._constructor.construct_object(node)
        except (YAMLError, ValueError) as error:
            reason = f"{node.value!r} is not a value that is understood here ({str(error).splitlines()[0]})"
            raise YamlUnreadable(file=self.file, line=_line(node), reason=reason) from None
        return value.isoformat() if isinstance(value, datetime.date) else value


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
