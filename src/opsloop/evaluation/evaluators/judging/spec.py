"""What a judge is: a rubric, a scale and a model. Any change of them is another judge, known by another digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import msgspec

from opsloop.core.declared import Declared
from opsloop.evaluation.declared import declared
from opsloop.evaluation.errors import ExperimentInvalid

# What every judge is told beside its rubric is part of it; a change of that raises this number.
FORM = 1
MIN_KAPPA = 0.61
"""From 0.61 on agreement is called substantial: J. R. Landis, G. G. Koch, The measurement of observer agreement for
categorical data, Biometrics 33 (1977), 159-174. It is asked of the lower end of the interval, not of the estimate."""

KEYS = ("scale", "rubric", "prompty", "inputs", "model", "connection", "parameters", "min_kappa")
_POINTS = re.compile(r"(?P<low>\d{1,2})\s*-\s*(?P<high>\d{1,2})")
_NAME = re.compile(r"[A-Za-z_]\w*")
_TEXT_LIMIT = 100_000


class Kind(StrEnum):
    YES_NO = "yes_no"
    POINTS = "points"
    PAIRWISE = "pairwise"


@dataclass(frozen=True, slots=True)
class Scale:
    """`yes_no` (1 and 0), points from `low` to `high`, or `pairwise`: which of two answers is better (1, 0.5, 0)."""

    kind: Kind
    low: int = 0
    high: int = 1

    def __str__(self) -> str:
        return f"{self.low}-{self.high}" if self.kind is Kind.POINTS else self.kind.value

    @property
    def is_ordinal(self) -> bool:
        """Whether a near miss is a smaller disagreement."""
        return self.kind is Kind.POINTS


@dataclass(frozen=True, slots=True)
class JudgeSpec:
    """Args:
    rubric: what is good, in words; empty where `prompty`, the text of such a file, says it.
    inputs: names of what it reads of a row; `question` may be missing in one.
    model: what the server is asked for; unset: the model of the settings, which is then written here.
    parameters: of the model's API, over temperature 0.
    min_kappa: what the lower end of the interval of its agreement with people must reach before it may gate.
    """

    scale: Scale
    rubric: str = ""
    prompty: str = ""
    inputs: tuple[str, ...] = ("question", "answer")
    model: str | None = None
    connection: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    min_kappa: float = MIN_KAPPA

    @property
    def digest(self) -> str:
        """The same for judges that are told the same and ask the same."""
        known = {**self.declared(), "form": FORM}
        return hashlib.sha256(msgspec.json.encode(known, order="deterministic")).hexdigest()[:32]

    def declared(self) -> dict[str, Any]:
        """As a file declares it, everything written out."""
        values = {**asdict(self), "scale": str(self.scale), "inputs": list(self.inputs)}
        return {key: values[key] for key in KEYS if values[key] not in (None, "", {})}

    def with_model(self, model: str | None) -> JudgeSpec:
        """The judge with the model of the settings, where it names none."""
        return self if self.model is not None or self.prompty else replace(self, model=model)


def read(values: object, path: str) -> JudgeSpec:
    """The judge that a mapping declares.

    Args:
        path: where it is declared, for the errors.
    Raises: ExperimentInvalid.
    """
    found = declared(values, path, KEYS)
    scale = _scale(found)
    rubric, prompty = (found.optional_text(key) or "" for key in ("rubric", "prompty"))
    if bool(rubric) == bool(prompty):
        raise found.wrong("rubric", "a text, or a prompty in its place, and not both")
    if max(len(rubric), len(prompty)) > _TEXT_LIMIT:
        raise ExperimentInvalid(found.at("rubric"), f"a text of at most {_TEXT_LIMIT:,} characters")
    least = found.number("min_kappa")
    if least is not None and not 0.0 < least <= 1.0:
        raise found.wrong("min_kappa", "a number above 0, at most 1")
    return JudgeSpec(
        scale=scale,
        rubric=rubric,
        prompty=prompty,
        inputs=_inputs(found, scale),
        model=found.optional_text("model"),
        connection=found.optional_text("connection"),
        parameters=found.mapping("parameters"),
        min_kappa=MIN_KAPPA if least is None else least,
    )


def _scale(found: Declared) -> Scale:
    written = found.text("scale", "yes_no")
    points = _POINTS.fullmatch(written.strip())
    if points is not None and int(points["low"]) < int(points["high"]):
        return Scale(Kind.POINTS, int(points["low"]), int(points["high"]))
    if written in (Kind.YES_NO, Kind.PAIRWISE):
        return Scale(Kind(written))
    raise found.wrong("scale", "yes_no, pairwise, or points such as 1-5", known=("yes_no", "pairwise"))


def _inputs(found: Declared, scale: Scale) -> tuple[str, ...]:
    needed = ("answer", "other") if scale.kind is Kind.PAIRWISE else ("answer",)
    names = found.listing("inputs") or ["question", *needed]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names) or len(set(names)) != len(names):
        raise found.wrong("inputs", "a list of names, each once")
    for name in needed:
        if name not in names:
            raise found.wrong("inputs", f"names with {name}, which is what it judges")
    return tuple(names)
