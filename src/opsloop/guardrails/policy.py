"""What an endpoint looks for in requests and answers, and what happens then.

    guardrails:
      requests: {payment_card: block, secrets: redact, injection: flag}
      answers: {pii: redact, email: flag}
      allow: ["*@acme.example"]
      stored: redact
      hand_over: A colleague will answer you here.

A word is a kind (`email`) or a group of kinds (`pii`); what is said of a kind goes before what is said of its group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

import rfc8785

from opsloop.core.errors import InvalidInput
from opsloop.guardrails.models import Action, Direction
from opsloop.guardrails.screens.registry import known

Stored = Literal["redact", "keep"]
HAND_OVER = "I hand this over to a person. The answer will be given under ticket {ticket}."
MAX_ALLOWED, MAX_ALLOWED_LENGTH, MAX_HAND_OVER = 100, 200, 1_000
_KEYS = ("requests", "answers", "allow", "stored", "hand_over")


@dataclass(frozen=True)
class Policy:
    """A checked policy.

    Args:
        requests, answers: action by kind or group.
        allow: values that may pass, with `*` for any characters: an organisation's own addresses.
        stored: whether personal data are taken out of what is kept of the endpoint's conversations.
        hand_over: what the caller is told when a person is to answer; `{ticket}` is the ticket.
    """

    requests: Mapping[str, Action] = field(default_factory=dict)
    answers: Mapping[str, Action] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    stored: Stored = "redact"
    hand_over: str = HAND_OVER

    def declared(self) -> dict[str, Any]:
        """As JSON has it; `parse` reads it back."""
        return {
            "requests": {word: action.value for word, action in sorted(self.requests.items())},
            "answers": {word: action.value for word, action in sorted(self.answers.items())},
            "allow": list(self.allow),
            "stored": self.stored,
            "hand_over": self.hand_over,
        }

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(rfc8785.dumps(self.declared())).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def actions(self, direction: Direction) -> Mapping[str, Action]:
        """Action by kind, without those that are allowed."""
        return self._for_requests if direction == "request" else self._for_answers

    @cached_property
    def _for_requests(self) -> dict[str, Action]:
        return _by_kind(self.requests)

    @cached_property
    def _for_answers(self) -> dict[str, Action]:
        return _by_kind(self.answers)

    def allows(self, value: str) -> bool:
        """Whether a value that was found may pass."""
        return any(fnmatchcase(value.lower(), pattern) for pattern in self._patterns)

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        # Only `*` is special: brackets and question marks stand in addresses.
        return tuple("".join(f"[{c}]" if c in "[?" else c for c in each.lower()) for each in self.allow)

    def tightened(self, other: Policy) -> Policy:
        """What is said in both, the stricter action of each kind. What `other` lets pass or says, it does not widen."""
        return Policy(
            requests=_stricter(self._for_requests, other._for_requests),
            answers=_stricter(self._for_answers, other._for_answers),
            allow=self.allow,
            stored="redact" if "redact" in (self.stored, other.stored) else "keep",
            hand_over=self.hand_over,
        )


NOTHING = Policy(stored="keep")
"""No guardrails at all."""


def default() -> Policy:
    """What a new endpoint has: it counts what comes in, takes personal data out of what goes out and what is kept.

    Addresses of streets are counted only: most of those in answers are an organisation's own, which people ask for.
    """
    injection = {"injection": Action.FLAG} if _is_known("injection") else {}
    return Policy(
        requests={"pii": Action.FLAG, "secrets": Action.FLAG, **injection},
        answers={"pii": Action.REDACT, "postal_address": Action.FLAG, "secrets": Action.REDACT},
    )


def parse(given: object, at: str = "guardrails") -> Policy:
    """A policy as it is declared. Raises: InvalidInput naming the key.

    Args:
        at: where it stands, as a sentence names it.
    """
    if not isinstance(given, Mapping):
        raise InvalidInput(field=at, value=given, wanted="a mapping of requests, answers, allow, stored and hand_over")
    for key in given:
        if key not in _KEYS:
            near = _near(str(key), _KEYS)
            raise InvalidInput(f"{at}.{key} is not known{near}; known here: {', '.join(_KEYS)}", field=f"{at}.{key}")
    return Policy(
        requests=_actions(given.get("requests"), f"{at}.requests"),
        answers=_actions(given.get("answers"), f"{at}.answers"),
        allow=_allowed(given.get("allow"), f"{at}.allow"),
        stored=_stored(given.get("stored", "redact"), f"{at}.stored"),
        hand_over=_hand_over(given.get("hand_over", HAND_OVER), f"{at}.hand_over"),
    )


def from_stored(declared: Mapping[str, Any]) -> Policy:
    """A policy that was checked when it was stored. Kinds that nobody knows any more stay in it."""
    return Policy(
        requests={word: Action(action) for word, action in declared["requests"].items()},
        answers={word: Action(action) for word, action in declared["answers"].items()},
        allow=tuple(declared["allow"]),
        stored=declared["stored"],
        hand_over=declared["hand_over"],
    )


def _actions(given: object, at: str) -> dict[str, Action]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidInput(field=at, value=given, wanted="a mapping of kinds to actions, such as {email: redact}")
    return {_word(word, at): _action(action, f"{at}.{word}") for word, action in given.items()}


def _word(word: object, at: str) -> str:
    if isinstance(word, str) and _is_known(word):
        return word
    words = sorted({*known().groups, *known().kinds})
    near = _near(str(word), words)
    raise InvalidInput(f"{at}.{word} is not known{near}; known here: {', '.join(words)}", field=f"{at}.{word}")


def _is_known(word: str) -> bool:
    return word in known().groups or word in known().kinds


def _action(given: object, at: str) -> Action:
    # YAML 1.1 readers say False for `off`; nobody means that by an action.
    if isinstance(given, str) and given in {each.value for each in Action}:
        return Action(given)
    raise InvalidInput(field=at, value=given, wanted=f"one of {', '.join(Action)}")


def _allowed(given: object, at: str) -> tuple[str, ...]:
    if given is None:
        return ()
    wanted = f"at most {MAX_ALLOWED} texts of 3 to {MAX_ALLOWED_LENGTH} characters, such as '*@acme.example'"
    if not isinstance(given, list | tuple) or len(given) > MAX_ALLOWED:
        raise InvalidInput(field=at, value=given, wanted=wanted)
    for each in given:
        # A pattern of stars alone would let everything pass.
        if not isinstance(each, str) or not 3 <= len(each) <= MAX_ALLOWED_LENGTH or not each.strip("* "):
            raise InvalidInput(field=at, value=each, wanted=wanted)
    return tuple(given)


def _stored(given: object, at: str) -> Stored:
    if given == "redact":
        return "redact"
    if given == "keep":
        return "keep"
    raise InvalidInput(field=at, value=given, wanted="'redact' or 'keep'")


def _hand_over(given: object, at: str) -> str:
    if isinstance(given, str) and given.strip() and len(given) <= MAX_HAND_OVER and given.isprintable():
        return given
    raise InvalidInput(field=at, value=given, wanted=f"a line of at most {MAX_HAND_OVER} characters")


def _by_kind(said: Mapping[str, Action]) -> dict[str, Action]:
    groups = known().groups
    found: dict[str, Action] = {}
    for word, action in said.items():
        for kind in groups.get(word, ()):
            # A kind in two groups has the stricter action.
            if kind not in found or action.rank > found[kind].rank:
                found[kind] = action
    found |= {word: action for word, action in said.items() if word not in groups}
    return {kind: action for kind, action in found.items() if action is not Action.ALLOW}


def _stricter(one: Mapping[str, Action], other: Mapping[str, Action]) -> dict[str, Action]:
    kinds = {*one, *other}
    return {kind: max(one.get(kind, Action.ALLOW), other.get(kind, Action.ALLOW), key=lambda a: a.rank)
            for kind in kinds}  # fmt: skip


def _near(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
