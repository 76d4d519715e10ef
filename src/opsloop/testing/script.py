"""Scenarios: rules that say what the server does, and how often; the first that fits and is not spent wins."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from opsloop.core.errors import InvalidInput
from opsloop.testing.answers import dumped
from opsloop.testing.said import FunctionCall, Said

Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=3_600_000)]
# A list of two, not a tuple: msgspec 0.22 corrupts memory on a union of a bounded number and a tuple of them.
Bounds = Annotated[list[Milliseconds], msgspec.Meta(min_length=2, max_length=2)]
Endpoint: TypeAlias = Literal["chat", "completions", "embeddings"]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request must be like; what is not named does not matter.

    Args:
        contains: stands in one of the request's texts, as it is written.
        regex: is found in one of them.
        model: the model's or, in Azure's way, the deployment's name.
    """

    contains: str | None = None
    regex: str | None = None
    model: str | None = None
    endpoint: Endpoint | None = None
    stream: bool | None = None

    def fits(self, *, endpoint: str, model: str | None, stream: bool, texts: Sequence[str]) -> bool:
        named = ((self.endpoint, endpoint), (self.model, model), (self.stream, stream))
        if any(wanted is not None and wanted != got for wanted, got in named):
            return False
        if self.contains is not None and not any(self.contains in text for text in texts):
            return False
        return self.regex is None or any(re.search(self.regex, text) for text in texts)


class ScriptedCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function called. `arguments` as text go out as they are, JSON or not."""

    name: str
    arguments: dict[str, Any] | str = {}

    @property
    def call(self) -> FunctionCall:
        return FunctionCall(self.name, self.arguments if isinstance(self.arguments, str) else dumped(self.arguments))


class DateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`Retry-After` as a date, so many seconds from the answer."""

    date_in_s: float


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of the requests that fit `when`. With nothing said of the answer it is the usual one.

    Args:
        times: how many requests this is for; None is all.
        answer, json, tool_call: what the model says.
        status: an error with this status; `message`, `code` and `retry_after` (seconds, a text, a date) go with it.
        latency_ms: instead of the server's own.
        chunk_ms: pause before each event of a stream after the first.
        garbage: `json` (broken), `html`, `empty`, `bytes` (no UTF-8) or `null`, all with status 200.
        disconnect: the connection closes `before` the first byte, or `mid_body`, which `true` means too.
        truncate_stream: how many events of a stream come before the connection closes.
        never: no answer at all; the connection stays open.
        size_mb: the model says a word of so many megabytes.
    """

    when: When = When()
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    answer: str | None = None
    json: Any = msgspec.UNSET
    tool_call: ScriptedCall | list[ScriptedCall] | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    message: str | None = None
    code: str | None = None
    retry_after: Annotated[float, msgspec.Meta(ge=0)] | str | DateIn | None = None
    latency_ms: Milliseconds | Bounds | None = None
    chunk_ms: Milliseconds | None = None
    garbage: Literal["json", "html", "empty", "bytes", "null"] | None = None
    disconnect: Literal["before", "mid_body"] | bool | None = None
    truncate_stream: Annotated[int, msgspec.Meta(ge=0)] | None = None
    never: bool = False
    size_mb: Annotated[float, msgspec.Meta(gt=0, le=1024)] | None = None

    @property
    def said(self) -> Said | None:
        """What the model says by this rule; None leaves it to the usual rules."""
        if self.size_mb is not None:
            return Said("x" * int(self.size_mb * 1_000_000))
        if self.tool_call is not None:
            calls = self.tool_call if isinstance(self.tool_call, list) else [self.tool_call]
            return Said(self.answer, tuple(each.call for each in calls), "tool_calls")
        if self.json is not msgspec.UNSET:
            return Said(dumped(self.json))
        return None if self.answer is None else Said(self.answer)


Rules: TypeAlias = Sequence[Rule | Mapping[str, Any]]


class Script:
    """Rules, and how often each was used."""

    def __init__(self, rules: Rules = ()) -> None:
        self.rules = [_rule(rule, f"script[{at}]") for at, rule in enumerate(rules)]
        self._used = [0] * len(self.rules)

    def next_for(self, *, endpoint: str, model: str | None, stream: bool, texts: Sequence[str]) -> Rule | None:
        """The rule for this request, which counts as used."""
        for at, rule in enumerate(self.rules):
            spent = rule.times is not None and self._used[at] >= rule.times
            if not spent and rule.when.fits(endpoint=endpoint, model=model, stream=stream, texts=texts):
                self._used[at] += 1
                return rule
        return None

    def reset(self) -> None:
        """Every rule is as good as unused."""
        self._used = [0] * len(self.rules)


def read_script(path: Path) -> list[Rule]:
    """The rules of a file of YAML or JSON: a list, or a mapping with the list as `rules`. Raises: InvalidInput."""
    try:
        text = path.read_text("utf-8-sig")
        document = json.loads(text) if path.suffix == ".json" else YAML(typ="safe", pure=True).load(text)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror}); name a file of rules", field="script") from None
    except (ValueError, YAMLError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidInput(f"{path}: not valid YAML or JSON ({reason})", field="script") from None
    return rules_in(document)


def rules_in(document: object) -> list[Rule]:
    """The rules of a decoded file or body. Raises: InvalidInput naming the rule and its field."""
    rules = document.get("rules") if isinstance(document, Mapping) else document
    if not isinstance(rules, list):
        raise InvalidInput(field="script", value=document, wanted="a list of rules, or an object with `rules`")
    return Script(rules).rules


def _rule(given: Rule | Mapping[str, Any], field: str) -> Rule:
    try:
        rule = given if isinstance(given, Rule) else msgspec.convert(given, Rule)
        re.compile(rule.when.regex or "")
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at `$")
        raise InvalidInput(f"{field}{at.rstrip('`')}: {what[:1].lower()}{what[1:]}", field=field) from None
    except re.error as error:
        place = f"{field}.when.regex"
        raise InvalidInput(f"{place}: is no regular expression ({error})", field=place) from None
    _check_one_outcome(rule, field)
    return rule


def _check_one_outcome(rule: Rule, field: str) -> None:
    named = {
        "json": rule.json is not msgspec.UNSET,
        "tool_call": rule.tool_call is not None,
        "status": rule.status is not None,
        "garbage": rule.garbage is not None,
        "size_mb": rule.size_mb is not None,
        "never": rule.never,
    }
    given = [name for name, is_given in named.items() if is_given]
    if rule.answer is not None and given != ["tool_call"]:
        given.insert(0, "answer")
    if len(given) > 1:
        raise InvalidInput(f"{field}: names {' and '.join(given)}; wanted one of them", field=field)
