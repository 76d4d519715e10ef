"""Look through a text as a policy says, and do to it what the policy says. Pure, without I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from opsloop.guardrails.models import Action, Direction, Hit, mark
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.screens.finder import Finder
from opsloop.guardrails.screens.registry import known

log = structlog.get_logger()
DEEPEST = 64


class ScreenBroken(Exception):
    """A screen that must not let pass failed, or is not there; `screen` names it."""

    def __init__(self, screen: str) -> None:
        super().__init__(screen)
        self.screen = screen


@dataclass(slots=True)
class Tally:
    """What was found in one direction, by kind; grows as texts are looked through."""

    direction: Direction
    counts: dict[tuple[str, Action], int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def count(self, kind: str, action: Action) -> None:
        self.counts[kind, action] = self.counts.get((kind, action), 0) + 1

    def kinds(self, action: Action) -> list[str]:
        """The kinds for which an action is due."""
        return sorted({kind for kind, due in self.counts if due is action})

    @property
    def hits(self) -> tuple[Hit, ...]:
        return tuple(Hit(kind, self.direction, action, n) for (kind, action), n in sorted(self.counts.items()))


@dataclass(frozen=True, slots=True)
class Watch:
    """What a policy needs of the screens in one direction.

    Args:
        actions: by kind.
        parts: each finder with those of the kinds that it finds.
        missing: kinds that may not pass and that no screen finds.
    """

    actions: Mapping[str, Action]
    parts: tuple[tuple[Finder, frozenset[str]], ...]
    missing: tuple[str, ...]

    @property
    def keeps_back(self) -> bool:
        return any(action.keeps_back for action in self.actions.values())


@lru_cache(maxsize=1_000)
def watch(policy: Policy, direction: Direction) -> Watch:
    """What looks for which kinds."""
    actions = policy.actions(direction)
    parts = tuple(known().finders(actions.keys()).items())
    found = frozenset[str]().union(*(wanted for _, wanted in parts))
    missing = tuple(sorted(kind for kind, action in actions.items() if action.keeps_back and kind not in found))
    return Watch(actions, parts, missing)


def find(text: str, wanted: Watch, policy: Policy, tally: Tally) -> list[Finding]:
    """What is found and not allowed, in order and apart: of findings that overlap one with the strictest action stays,
    over all of their place.

    Raises: ScreenBroken.
    """
    if wanted.missing:
        raise ScreenBroken(wanted.missing[0])
    found: list[Finding] = []
    for finder, kinds in wanted.parts:
        try:
            seen = finder.find(text, kinds)
        except Exception as error:  # noqa: BLE001 (a plug-in can fail in any way; its traceback may hold the text)
            log.error("screen_failed", screen=finder.name, error=type(error).__name__)
            tally.failed.add(finder.name)
            if any(wanted.actions[kind].keeps_back for kind in kinds):
                raise ScreenBroken(finder.name) from None
            continue
        found += [each for each in seen if not policy.allow or not policy.allows(text[each.start : each.end])]
    return _apart(found, wanted.actions)


def _apart(found: list[Finding], actions: Mapping[str, Action]) -> list[Finding]:
    kept: list[Finding] = []
    for each in sorted(found, key=lambda finding: (finding.start, -finding.end)):
        if not kept or kept[-1].end <= each.start:
            kept.append(each)
            continue
        last = kept.pop()
        sterner = each if actions[each.kind].rank > actions[last.kind].rank else last
        kept.append(Finding(sterner.kind, last.start, max(last.end, each.end), sterner.confidence))
    return kept


def screened(text: str, policy: Policy, tally: Tally) -> str:
    """The text as it may go on; what was found is in the tally, also that it may not go on at all.

    Raises: ScreenBroken.
    """
    wanted = watch(policy, tally.direction)
    if not wanted.actions or not text:
        return text
    return replaced(text, find(text, wanted, policy, tally), wanted.actions, tally)


def replaced(text: str, found: Sequence[Finding], actions: Mapping[str, Action], tally: Tally) -> str:
    parts: list[str] = []
    at = 0
    for each in found:
        action = actions[each.kind]
        tally.count(each.kind, action)
        if action is not Action.FLAG:
            parts += [text[at : each.start], mark(each.kind)]
            at = each.end
    return "".join([*parts, text[at:]]) if parts else text


def screened_value(value: Any, policy: Policy, tally: Tally, *, depth: int = 0) -> Any:
    """The same for every text in a JSON value, names of members too; the value itself where nothing is changed.

    Raises: ScreenBroken; also for a value that is nested over 64 deep.
    """
    if isinstance(value, str):
        return screened(value, policy, tally)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= DEEPEST:
        raise ScreenBroken("depth")
    deeper = depth + 1
    if isinstance(value, Mapping):
        made = {
            screened_value(name, policy, tally, depth=deeper): screened_value(each, policy, tally, depth=deeper)
            for name, each in value.items()
        }
        return value if _same(made, value) else made
    if isinstance(value, list | tuple):
        members = [screened_value(each, policy, tally, depth=deeper) for each in value]
        if all(new is old for new, old in zip(members, value, strict=True)):
            return value
        return members if isinstance(value, list) else tuple(members)
    plain = _plain(value)
    if plain is value:
        return value
    found = screened_value(plain, policy, tally, depth=deeper)
    return value if found is plain else found


def _plain(value: Any) -> Any:
    """What JSON makes of an object; the object itself where it makes nothing of it, for then nobody gets it."""
    try:
        return msgspec.to_builtins(value)
    except (TypeError, ValueError, RecursionError):
        return value


def _same(made: Mapping[Any, Any], value: Mapping[Any, Any]) -> bool:
    if len(made) != len(value):
        return False
    return all(name in value and made[name] is value[name] for name in made)


def size_of(value: Any, *, depth: int = 0) -> int:
    """Characters of the texts in a JSON value, about; what is nested too deep is not counted."""
    if isinstance(value, str):
        return len(value)
    if depth >= DEEPEST:
        return 0
    if isinstance(value, Mapping):
        return sum(len(str(name)) + size_of(each, depth=depth + 1) for name, each in value.items())
    return sum(size_of(each, depth=depth + 1) for each in value) if isinstance(value, list | tuple) else 0
