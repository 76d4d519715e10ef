"""A preparation as `opsloop.yaml` declares it, checked: what can be known to be wrong is said before anything runs.

golden-questions:
  schedule: "0 2 * * *"
  read: {source: data/raw.csv}
  clean:
  - drop_duplicates: {by: [question]}
  split: {train: 0.8, test: 0.2, by: conversation, seed: 7}
  register: {as: "golden-{split}", tags: [golden]}
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput, shown
from opsloop.core.jobs import cron
from opsloop.datasets.connectors import address as addresses
from opsloop.datasets.connectors.address import Address
from opsloop.datasets.connectors.errors import AddressInvalid
from opsloop.datasets.preparation.errors import PreparationInvalid
from opsloop.datasets.preparation.split import Split
from opsloop.datasets.preparation.steps import registry as steps
from opsloop.datasets.preparation.steps.registry import Step

SECTIONS = ("schedule", "read", "clean", "split", "register")
PLACE = "{split}"
STEPS_LIMIT = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Declared:
    """Args:
    source: where rows are read; None when `dataset` is set.
    dataset: a dataset or version of it, such as `raw@3`.
    names: of the datasets to make; with a split, each holds `{split}`.
    """

    source: Address | None
    dataset: str | None
    clean: tuple[Step, ...]
    split: Split | None
    names: tuple[str, ...]
    tags: tuple[str, ...] = ()
    schedule: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Names what is done to the rows, whenever it is done."""
        what = {name: value for name, value in self.values.items() if name != "schedule"}
        return hashlib.sha256(_encode(what)).hexdigest()

    def made(self) -> list[tuple[str, str]]:
        """The datasets to make, each with its part of the split."""
        parts = self.split.names if self.split is not None else ("",)
        return [(name.replace(PLACE, part), part) for name in self.names for part in parts]


def parse(values: Any) -> Declared:
    """Raises: PreparationInvalid naming the field."""
    found = _mapping("preparation", values)
    _only("", found, SECTIONS)
    for section in ("read", "register"):
        if section not in found:
            raise PreparationInvalid(f"{section}: is missing; wanted a mapping", field=section)
    split = Split.parse(found["split"]) if found.get("split") is not None else None
    source, dataset = _read(found["read"])
    names, tags = _register(found["register"], split)
    return Declared(
        source=source,
        dataset=dataset,
        clean=_clean(found.get("clean")),
        split=split,
        names=names,
        tags=tags,
        schedule=_schedule(found.get("schedule")),
        values=found,
    )


def _read(value: Any) -> tuple[Address | None, str | None]:
    found = _mapping("read", value)
    _only("read", found, ("source", "dataset"))
    if len(found) != 1:
        raise PreparationInvalid(field="read", value=value, wanted="one of source and dataset")
    if "dataset" in found:
        dataset = _text("read.dataset", found["dataset"])
        if not _NAME.fullmatch(dataset.partition("/")[0].partition("@")[0]):
            raise PreparationInvalid(field="read.dataset", value=dataset, wanted="a dataset, or a version as raw@3")
        return None, dataset
    return source_of("read.source", found["source"]), None


def source_of(at: str, value: Any) -> Address:
    """An address as text, or as a mapping with its kind. Raises: PreparationInvalid naming the field."""
    try:
        if isinstance(value, dict) and len(value) == 1:
            [(kind, options)] = value.items()
            return addresses.from_mapping(kind, _mapping(f"{at}.{kind}", options))
        return addresses.parse(_text(at, value))
    except AddressInvalid as error:
        raise PreparationInvalid(f"{at}: {error.sentence}", field=at) from None


def _clean(value: Any) -> tuple[Step, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > STEPS_LIMIT:
        raise PreparationInvalid(field="clean", value=value, wanted=f"a list of up to {STEPS_LIMIT} steps")
    found = []
    for place, each in enumerate(value):
        at = f"clean[{place}]"
        if not isinstance(each, dict) or len(each) != 1:
            raise PreparationInvalid(field=at, value=each, wanted="one step, such as {drop_missing: [question]}")
        [(name, wanted)] = each.items()
        found.append(steps.parse(at, name, wanted))
    return tuple(found)


def _register(value: Any, split: Split | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = _mapping("register", value)
    _only("register", found, ("as", "tags"))
    names = found.get("as")
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not names:
        raise PreparationInvalid(field="register.as", value=found.get("as"), wanted="a dataset's name, or several")
    for name in names:
        _check_name(name, split)
    tags = found.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise PreparationInvalid(field="register.tags", value=tags, wanted="a list of texts such as [golden]")
    return tuple(names), tuple(tags)


def _check_name(name: Any, split: Split | None) -> None:
    text = _text("register.as", name)
    if split is not None and PLACE not in text:
        wanted = f'a name with {PLACE} in it, such as "golden-{PLACE}": each part of the split is a dataset'
        raise PreparationInvalid(field="register.as", value=text, wanted=wanted)
    for part in split.names if split is not None else ("",):
        if not _NAME.fullmatch(text.replace(PLACE, part) if split is not None else text):
            wanted = "up to 80 letters, digits and ._-, a letter or digit first"
            raise PreparationInvalid(field="register.as", value=text, wanted=wanted)


def _schedule(value: Any) -> str | None:
    if value is None:
        return None
    text = _text("schedule", value)
    try:
        cron.check(text)
    except InvalidInput as error:
        raise PreparationInvalid(f"schedule: {error.sentence}", field="schedule") from None
    return text


def _mapping(at: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PreparationInvalid(field=at, value=value, wanted="a mapping of keys to values")
    return value


def _text(at: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PreparationInvalid(field=at, value=value, wanted="text")
    return value


def _only(at: str, found: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in found:
        if name not in known:
            path = f"{at}.{name}" if at else name
            raise PreparationInvalid(f"{path} is {shown(found[name])}; known here: {', '.join(known)}", field=path)
