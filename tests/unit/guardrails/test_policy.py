"""What a policy says, what it refuses, and which of two actions counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.guardrails.models import Action, Finding, Hit
from opsloop.guardrails.policy import MAX_ALLOWED, Policy, default, from_stored, parse
from opsloop.guardrails.redaction import redact_log_line, redacted, redacted_value
from opsloop.guardrails.screening import ScreenBroken, Tally, screened, screened_value
from opsloop.guardrails.screens.registry import known
from opsloop.guardrails.screens.screen import Screen

MAIL, CARD = "a@example.com", "4111111111111111"


def test_what_is_said_of_a_kind_goes_before_what_is_said_of_its_group() -> None:
    actions = parse({"answers": {"pii": "redact", "email": "flag", "phone": "allow"}}).actions("answer")
    assert actions["payment_card"] is Action.REDACT
    assert actions["email"] is Action.FLAG
    assert "phone" not in actions
    assert "secret" not in actions


def test_a_policy_is_the_same_when_it_is_read_back() -> None:
    policy = parse({"requests": {"secrets": "block"}, "allow": ["*@acme.example"], "stored": "keep"})
    assert from_stored(policy.declared()) == policy
    assert from_stored(policy.declared()).digest == policy.digest
    assert policy.digest != default().digest


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ([], "guardrails: is []; wanted a mapping"),
        ({"request": {}}, r"guardrails.request is not known; did you mean 'requests'"),
        ({"answers": {"emial": "redact"}}, "guardrails.answers.emial is not known; did you mean 'email'"),
        ({"answers": {"email": "mask"}}, "guardrails.answers.email: is 'mask'; wanted one of allow, flag"),
        ({"answers": {"email": False}}, "guardrails.answers.email: is False"),
        ({"answers": ["email"]}, "guardrails.answers: is .*wanted a mapping of kinds to actions"),
        ({"allow": ["**"]}, r"guardrails.allow: is '\*\*'"),
        ({"allow": ["abc"] * (MAX_ALLOWED + 1)}, "guardrails.allow"),
        ({"stored": "yes"}, "guardrails.stored: is 'yes'; wanted 'redact' or 'keep'"),
        ({"hand_over": ""}, "guardrails.hand_over"),
    ],
)
def test_what_is_wrong_is_named(declared: object, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence.replace("[]", r"\[\]")):
        parse(declared)


def test_of_two_policies_the_stricter_action_counts() -> None:
    endpoint = parse({"answers": {"email": "redact", "phone": "block"}, "allow": ["*@acme.example"]})
    release = parse({"answers": {"email": "block", "phone": "flag", "iban": "flag"}, "allow": ["*@else.example"]})
    both = endpoint.tightened(release)
    assert {kind: action.value for kind, action in both.answers.items()} == {
        "email": "block",
        "phone": "block",
        "iban": "flag",
    }
    assert both.allow == ("*@acme.example",)


def test_values_that_may_pass_are_patterns_of_stars_alone() -> None:
    policy = Policy(allow=("*@acme.example", "+49 30 [1]?"))
    assert policy.allows("Info@ACME.example")
    assert policy.allows("+49 30 [1]?")
    assert not policy.allows("+49 30 12")
    assert not policy.allows("a@acme.example.org")


def test_a_value_is_looked_through_to_its_depth_and_is_itself_when_nothing_is_found() -> None:
    policy = Policy(answers={"email": Action.REDACT})
    tally = Tally("answer")
    value = {"a": [1, {"b": f"to {MAIL}"}], MAIL: None, "c": ("x", 2.5)}
    assert screened_value(value, policy, tally) == {"a": [1, {"b": "to [EMAIL]"}], "[EMAIL]": None, "c": ("x", 2.5)}
    assert tally.hits == (Hit("email", "answer", Action.REDACT, 2),)
    plain = {"a": ["b", {"c": 1}]}
    assert screened_value(plain, policy, tally) is plain


@dataclass
class Contact:
    mail: str
    at: datetime


def test_objects_that_json_knows_are_looked_through() -> None:
    policy = Policy(answers={"email": Action.REDACT})
    at = datetime(2024, 5, 17, tzinfo=UTC)
    found = screened_value({"a": Contact(MAIL, at)}, policy, Tally("answer"))
    assert found == {"a": {"mail": "[EMAIL]", "at": "2024-05-17T00:00:00Z"}}
    harmless = {"a": Contact("none", at), "b": object()}
    assert screened_value(harmless, policy, Tally("answer")) is harmless


def test_what_is_nested_without_end_is_not_let_through() -> None:
    value: object = MAIL
    for _ in range(2_000):
        value = [value]
    with pytest.raises(ScreenBroken):
        screened_value(value, Policy(answers={"email": Action.REDACT}), Tally("answer"))


def test_a_kind_that_nobody_finds_any_more_lets_nothing_through() -> None:
    gone = {**Policy().declared(), "requests": {"of_a_plug_in": "block"}}
    with pytest.raises(ScreenBroken):
        screened("hello", from_stored(gone), Tally("request"))
    flagged = {**Policy().declared(), "requests": {"of_a_plug_in": "flag"}}
    assert screened("hello", from_stored(flagged), Tally("request")) == "hello"


def all_of(text: str) -> list[Finding]:
    return [Finding("wide", "wide", 0, len(text), 1.0)]


def test_where_findings_of_two_screens_overlap_all_of_both_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(known().screens, "wide", Screen("wide", ("wide",), all_of))
    policy = parse({"answers": {"wide": "redact", "email": "block"}})
    tally = Tally("answer")
    assert screened(f"write to {MAIL} now", policy, tally) == "[EMAIL]"
    assert tally.kinds(Action.BLOCK) == ["email"]


def test_what_is_kept_has_no_personal_data() -> None:
    assert redacted(f"{MAIL} paid with {CARD}") == "[EMAIL] paid with [PAYMENT_CARD]"
    assert redacted_value({"a": [MAIL, 3]}) == {"a": ["[EMAIL]", 3]}


def test_a_log_line_keeps_what_it_says_of_itself() -> None:
    line = {"event": "failed", "endpoint": "chat", "error": f"no user {MAIL}", "n": 3}
    assert redact_log_line(None, "info", line) == {
        "event": "failed",
        "endpoint": "chat",
        "error": "no user [EMAIL]",
        "n": 3,
    }
