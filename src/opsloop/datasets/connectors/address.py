"""Where rows live: a kind of place, the place, and which state and part of it is meant.

    iceberg://prod/sales.orders?snapshot=8271                 a table of a catalog
    delta:s3://lake/tables/orders?version=12                  a Delta table, by its folder
    s3://bucket/questions/*.jsonl                             objects: CSV, TSV, JSON lines, JSON or Parquet
    data/questions.csv                                        files in the project's folder

The same in `opsloop.yaml`: `{iceberg: {catalog: prod, table: sales.orders, snapshot: 8271}}`. An address never holds a
credential; it can be stored, shown and used again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from opsloop.core.errors import shown
from opsloop.datasets.connectors.errors import AddressInvalid

OBJECT_SCHEMES = ("s3", "gs", "az", "abfss")
_CATALOG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):")
_SECRETS = re.compile(r"token|secret|password|credential|key|sig", re.IGNORECASE)
LIMIT = 2_000


class PlaceKind(StrEnum):
    ICEBERG = "iceberg"
    DELTA = "delta"
    OBJECTS = "objects"
    FILES = "files"


# What can be said of a place beside where it is. `state` is how files and objects are pinned.
_PART = ("columns", "filter")
OPTIONS = {
    PlaceKind.ICEBERG: ("snapshot", "as_of", "ref", *_PART),
    PlaceKind.DELTA: ("version", "as_of", *_PART),
    PlaceKind.OBJECTS: ("state", *_PART),
    PlaceKind.FILES: ("state", *_PART),
}
_ONE_OF = ("snapshot", "as_of", "ref", "version")
_NUMBERS = ("snapshot", "version")


@dataclass(frozen=True, slots=True)
class Address:
    """A place and which state and part of it is meant.

    Args:
        place: of a table `CATALOG/NAMESPACE.TABLE`; of a Delta table, objects and files a URL or a path.
        options: `snapshot` or `version` (a number), `as_of` (ISO 8601 with its zone), `ref` (a branch or tag),
            `columns` (names, with commas between), `filter` (an SQL condition).
    """

    kind: PlaceKind
    place: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        prefix = {PlaceKind.ICEBERG: "iceberg://", PlaceKind.DELTA: "delta:"}.get(self.kind, "")
        query = "&".join(f"{name}={quote(self.options[name], safe=',:')}" for name in sorted(self.options))
        return f"{prefix}{self.place}{'?' if query else ''}{query}"

    @property
    def bare(self) -> str:
        """The place alone, for sentences."""
        return str(replace(self, options={}))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are wanted; none: all of them."""
        return tuple(name.strip() for name in self.options.get("columns", "").split(",") if name.strip())

    @property
    def filter(self) -> str | None:
        return self.options.get("filter")

    @property
    def as_of(self) -> datetime | None:
        found = self.options.get("as_of")
        return None if found is None else datetime.fromisoformat(found)

    def number(self, option: str) -> int | None:
        found = self.options.get(option)
        return None if found is None else int(found)

    def pinned(self, option: str, value: object) -> Address:
        """The same place in exactly this state."""
        kept = {name: text for name, text in self.options.items() if name not in (*_ONE_OF, "state")}
        return replace(self, options={**kept, option: str(value)})


def is_address(text: str) -> bool:
    """Whether a text names a place with a scheme; else it is a path."""
    found = _SCHEME.match(text)
    return found is not None and found["scheme"] in (*OBJECT_SCHEMES, "iceberg", "delta")


def parse(text: str) -> Address:
    """The address that a text is. Raises: AddressInvalid."""
    if not text.strip() or len(text) > LIMIT or not text.isprintable():
        raise _wrong(text, f"up to {LIMIT} printable characters")
    base, _, query = text.partition("?")
    scheme = urlsplit(base).scheme if _SCHEME.match(base) else ""
    if scheme == "iceberg":
        kind, place = PlaceKind.ICEBERG, base.removeprefix("iceberg:").removeprefix("//")
    elif scheme == "delta":
        kind, place = PlaceKind.DELTA, base.removeprefix("delta:")
    elif scheme in OBJECT_SCHEMES:
        kind, place = PlaceKind.OBJECTS, base
    elif scheme in ("", "file"):
        kind, place = PlaceKind.FILES, base.removeprefix("file:")
    else:
        known = "iceberg://CATALOG/NAMESPACE.TABLE, delta:URL, s3://, gs://, az:// or a path"
        raise _wrong(text, f"an address of a known kind ({known})")
    return checked(Address(kind, place, dict(parse_qsl(query, keep_blank_values=True))))


def from_mapping(kind: str, values: Mapping[str, Any]) -> Address:
    """The address of `{kind: values}` in `opsloop.yaml`. Raises: AddressInvalid."""
    values = dict(values)
    if kind == "iceberg":
        catalog, table = (_text(kind, name, values.pop(name, None)) for name in ("catalog", "table"))
        return checked(Address(PlaceKind.ICEBERG, f"{catalog}/{table}", _options(kind, values)))
    if kind == "delta":
        table = _text(kind, "table", values.pop("table", None))
        return checked(Address(PlaceKind.DELTA, table, _options(kind, values)))
    if kind == "files":
        found = parse(_text(kind, "url", values.pop("url", None)))
        return checked(replace(found, options={**found.options, **_options(kind, values)}))
    raise AddressInvalid(f"source is {shown(kind)}; wanted iceberg, delta or files", field="source")


def checked(address: Address) -> Address:
    """The address itself when it can name something. Raises: AddressInvalid."""
    parsed = urlsplit(address.place)
    if parsed.password is not None or (parsed.username is not None and parsed.scheme != "abfss"):
        raise AddressInvalid(
            f"{address.kind} address: holds a credential; wanted none in it, they come from the environment",
            field="address",
        )
    if address.kind is PlaceKind.ICEBERG:
        catalog, _, table = address.place.partition("/")
        if not _CATALOG.fullmatch(catalog) or "." not in table or not all(table.split(".")):
            raise _wrong(str(address), "iceberg://CATALOG/NAMESPACE.TABLE")
    elif not address.place.strip("/."):
        raise _wrong(str(address), "a path or URL")
    _check_options(address)
    return address


def _check_options(address: Address) -> None:
    known = OPTIONS[address.kind]
    for name, value in address.options.items():
        if name not in known:
            if _SECRETS.search(name):
                wanted = "no credential in an address; they come from the environment"
                raise AddressInvalid(f"{name} in {address.bare}: wanted {wanted}", field=name)
            raise AddressInvalid(f"{name} is not known of {address.bare}; wanted {', '.join(known)}", field=name)
        if name in _NUMBERS and not re.fullmatch(r"[0-9]{1,19}", value):
            raise AddressInvalid(field=name, value=value, wanted="a whole number")
        if name == "as_of":
            _check_moment(value)
        if not value.strip():
            raise AddressInvalid(field=name, value=value, wanted="a value")
    states = [name for name in _ONE_OF if name in address.options]
    if len(states) > 1:
        raise AddressInvalid(f"{' and '.join(states)} in {address.bare}: wanted one of them", field=states[1])


def _check_moment(value: str) -> None:
    wanted = "a moment with its zone, such as 2026-11-01T00:00:00Z"
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise AddressInvalid(field="as_of", value=value, wanted=wanted) from None
    if moment.tzinfo is None:
        raise AddressInvalid(field="as_of", value=value, wanted=wanted)


def _options(kind: str, values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        if name == "columns" and isinstance(value, list):
            value = ",".join(_text(kind, "columns", each) for each in value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise AddressInvalid(field=f"{kind}.{name}", value=value, wanted="text or a whole number")
        found[name] = str(value)
    return found


def _text(kind: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise AddressInvalid(field=f"{kind}.{name}", value=value, wanted="text")
    return value


def _wrong(text: str, wanted: str) -> AddressInvalid:
    return AddressInvalid(field="address", value=text, wanted=wanted)
