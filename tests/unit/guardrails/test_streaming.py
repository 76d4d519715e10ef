"""A streamed answer, redacted piece by piece, is the whole answer redacted, however it was cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsloop.guardrails.models import Action
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.screening import Tally, screened
from opsloop.guardrails.streaming import LONGEST, StreamRedactor

POLICY = Policy(answers={"pii": Action.REDACT, "secrets": Action.REDACT})
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "\n".join(["MIIEowIBAAKCAQEA7bq" * 3] * 20)
    + "\n-----END RSA PRIVATE KEY-----"
)
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJ" + "c3ViIjoiMTIzNDU2Nzg5MCJ9" * 40 + ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
VALUES = (
    "maria.lopez@example.com",
    "4111 1111 1111 1111",
    "5500-0055-5555-5559",
    "371449635398431",
    "DE89 3704 0044 0532 0130 00",
    "GB82 WEST 1234 5698 7654 32",
    "NL91ABNA0417164300",
    "AB 12 34 56 C",
    "078-05-1121",
    "12345678Z",
    "RSSMRA85T10A562S",
    "1 85 05 78 006 084 91",
    "+49 30 901820",
    "(212) 555-0147 ext. 12",
    "call me at 555-0100, 555-0101 and 555-0102",
    "192.0.2.17",
    "2001:db8::8a2e:370:7334",
    "https://maria:hunter22@db.example.com/x",
    "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    JWT,
    KEY,
)
PROSE = (
    "The plan covers dental care, and glasses too. ",
    "Your order ",
    "was sent on 2024-05-17 at 10:45, version 1.2.3.4. ",
    "Schöne Grüße aus Köln \u2013 bis bald! ",
    "保险计划涵盖牙科治疗。",
    "\n\n- first\n- second: ",
    "phone: ",
    "ssn ",
    "nhs 943 476 5919 ",
    "(",
    " and ",
    ", ",
    " ",
    "\n",
    "x@",
    "-----BEGIN ",
    "eyJ",
    "1",
    "a" * 300,
)
TEXTS = st.lists(st.sampled_from(VALUES + PROSE), min_size=1, max_size=12).map("".join)


def whole(text: str, policy: Policy = POLICY) -> str:
    return screened(text, policy, Tally("answer"))


def streamed(pieces: list[str], policy: Policy = POLICY) -> str:
    redactor = StreamRedactor(policy, Tally("answer"))
    return "".join([*(redactor.feed(piece) for piece in pieces), redactor.finish()])


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "around", [("", ""), ("Here it is: ", ", as you asked."), ("a\n", "\nb"), ("x " * 150, " y" * 150)]
)
def test_every_kind_is_redacted_for_every_size_of_pieces(value: str, around: tuple[str, str]) -> None:
    text = value.join(around)
    wanted = whole(text)
    assert wanted != text
    for size in (1, 2, 3, 5, 7, 16, 17, 64, 1000):
        assert streamed(cut(text, size)) == wanted


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, data=st.data())
def test_streamed_is_whole_for_every_split(text: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=30).map(sorted))
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    wanted = whole(text)
    assert streamed(pieces) == wanted
    assert streamed(list(text)) == wanted


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab1 2-.@+()\n:/é漢"), max_size=600), size=st.integers(1, 40))
def test_streamed_is_whole_for_texts_of_marks(text: str, size: int) -> None:
    assert streamed(cut(text, size)) == whole(text)


@pytest.mark.parametrize("size", [1, 7, 16, 40])
def test_what_hangs_on_a_long_finding_is_read_together_with_it(size: int) -> None:
    text = f"{JWT}4111 1111 1111 1111{KEY}https://maria:hunter22@db.example.com/x4111 1111 1111 1111"
    assert streamed(cut(text, size)) == whole(text)


def test_prose_goes_out_word_by_word() -> None:
    redactor = StreamRedactor(POLICY, Tally("answer"))
    text = "The plan covers dental care and glasses for all members of the family. " * 20
    most = 0
    for char in text:
        redactor.feed(char)
        most = max(most, redactor.held)
    assert most < 50


def test_near_a_number_no_more_is_held_than_a_reach_and_a_word() -> None:
    redactor = StreamRedactor(POLICY, Tally("answer"))
    most = 0
    for char in "Order 17 of 2024 has 3 items. " * 40:
        redactor.feed(char)
        most = max(most, redactor.held)
    assert most < 128 + 40


def test_a_word_without_end_is_held_up_to_a_limit_and_then_goes_on() -> None:
    redactor = StreamRedactor(POLICY, Tally("answer"))
    text = "b" * (3 * LONGEST)
    most, out = 0, []
    for piece in cut(text, 1000):
        out.append(redactor.feed(piece))
        most = max(most, redactor.held)
    assert most <= LONGEST + 8192
    assert "".join([*out, redactor.finish()]) == text


def test_what_is_blocked_stops_the_stream_before_the_value() -> None:
    policy = Policy(answers={"payment_card": Action.BLOCK, "email": Action.REDACT})
    tally = Tally("answer")
    redactor = StreamRedactor(policy, tally)
    text = "Write to a@example.com. The card is 4111 1111 1111 1111, keep it. More text follows here."
    out = "".join([*(redactor.feed(char) for char in text), redactor.finish()])
    assert out == "Write to [EMAIL]. The card is "
    assert redactor.is_stopped
    assert tally.kinds(Action.BLOCK) == ["payment_card"]


def test_without_anything_to_keep_back_pieces_go_through_as_they_are() -> None:
    redactor = StreamRedactor(Policy(answers={"email": Action.FLAG}), Tally("answer"))
    assert [redactor.feed(piece) for piece in ("a@exam", "ple.com")] == ["a@exam", "ple.com"]
    assert redactor.finish() == ""
