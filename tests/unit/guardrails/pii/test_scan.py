"""What is found in texts, on numbers whose check digits are published or computed by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.guardrails.pii import checksums
from opsloop.guardrails.pii.detectors.registry import known
from opsloop.guardrails.pii.scan import find, shape
from opsloop.guardrails.pii.words_before import BETWEEN_TEXTS

TOKEN = "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2Q"
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----"


def found(text: str, heading: str = "") -> list[tuple[str, str]]:
    return [(each.kind, text[each.start : each.end]) for each in find(text, heading=heading)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("write to 'ada.l+x@mail.example.org'.", "email", "ada.l+x@mail.example.org"),
        ("paid with 4111 1111 1111 1111 today", "payment_card", "4111 1111 1111 1111"),
        ("amex 3782-822463-10005.", "payment_card", "3782-822463-10005"),
        ("order 12 4111111111111111", "payment_card", "4111111111111111"),
        ("to GB82 WEST 1234 5698 7654 32 PLEASE", "iban", "GB82 WEST 1234 5698 7654 32"),
        ("de89370400440532013000", "iban", "de89370400440532013000"),
        ("from 203.0.113.9:443", "ip_address", "203.0.113.9"),
        ("host 2001:db8::8a2e:370:7334 up", "ip_address", "2001:db8::8a2e:370:7334"),
        ("his is 536-90-4399.", "us_ssn", "536-90-4399"),
        ("SSN 536904399", "us_ssn", "536904399"),
        ("DNI 12345678Z", "national_id", "12345678Z"),
        ("cf RSSMRA85T10A562S", "national_id", "RSSMRA85T10A562S"),
        ("CPF 111.444.777-35", "national_id", "111.444.777-35"),
        ("nhs no. 943 476 5919", "national_id", "943 476 5919"),
        ("BSN 111222333", "national_id", "111222333"),
        ("PESEL 44051401359", "national_id", "44051401359"),
        ("Steuer-ID 86095742719", "national_id", "86095742719"),
        ("Aadhaar 2341 2341 2346", "national_id", "2341 2341 2346"),
        ("SIN 130 692 544", "national_id", "130 692 544"),
        ("national insurance AB123456C", "national_id", "AB123456C"),
        ("NINO AB 12 34 56 C", "national_id", "AB 12 34 56 C"),
        ("AHV 756.9217.0769.85", "national_id", "756.9217.0769.85"),
        ("hetu 131052-308T", "national_id", "131052-308T"),
        ("personnummer 811228-9874", "national_id", "811228-9874"),
        ("NISS 85.07.30-033.28", "national_id", "85.07.30-033.28"),
        ("TFN 123 456 782", "national_id", "123 456 782"),
        ("NRIC S1234567D", "national_id", "S1234567D"),
        ("routing number 021000021", "bank_account", "021000021"),
        ("account no. 1234567890", "bank_account", "1234567890"),
        ("pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "crypto_wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "crypto_wallet", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("she was born on 8/5/1989", "date_of_birth", "8/5/1989"),
        ("DOB: 1965-04-22", "date_of_birth", "1965-04-22"),
        ("geboren am 3. März 1970", "date_of_birth", "3. März 1970"),
        ("her passport number is C01X00T47", "passport", "C01X00T47"),
        ("driver's license no. D1234567", "driving_licence", "D1234567"),
        ("send it to 123 Main Street, Apt. 4, Springfield, IL 62704 today", "postal_address",
         "123 Main Street, Apt. 4, Springfield, IL 62704"),
        ("call a taxi to 03 2657 Koontz Lane", "postal_address", "2657 Koontz Lane"),
        ("10 Downing Street, London SW1A 2AA", "postal_address", "10 Downing Street, London SW1A 2AA"),
        ("wohnt Hauptstraße 5, 10115 Berlin", "postal_address", "Hauptstraße 5, 10115 Berlin"),
        ("at postgresql://ada:s3cret@db.internal:5432/x", "url_credentials", "postgresql://ada:s3cret@db.internal:5432"),
        ("id AKIAIOSFODNN7EXAMPLE", "secret", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_" + "a1" * 18, "secret", "ghp_" + "a1" * 18),
        (f"Bearer {TOKEN}", "secret", TOKEN),
        (f"cat {PRIVATE_KEY}.", "secret", PRIVATE_KEY),
        ("ring +44 20 7946 0958", "phone", "+44 20 7946 0958"),
        ("(415) 555-2671 x12", "phone", "(415) 555-2671 x12"),
        ("You can call me on 9472 7916?", "phone", "9472 7916"),
        ("01.84.17.61.18", "phone", "01.84.17.61.18"),
    ],
)  # fmt: skip
def test_a_kind_is_found_where_it_stands(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order 4111111111111112 of 2026-11-25 12:20:39",
        "GB82 WEST 1234 5698 7654 33",
        "version 10.2.3.4, and 1.2.3.4.5, and 127.0.0.1",
        "666-12-3456, 900-12-3456, 123-00-4567 and 078-05-1120",
        "3... 2... 1... liftoff!",
        "9554 62 Rue Gafsa, room 3610-114, on 2/8/1935",
        "std::vector<int> a; 12:20:39; de:ad:be:ef:00:01",
        "a@b, @handle, user@localhost",
        "https://example.org/a:b@c and http://example.org:8080/",
        "00000000-0000-4000-8000-000000000000",
        "12345678A and 123456789012",
        "the compound SR141716A, Cell 67:837-839, contacts 300-600 neurons, EC 1.14.16.2, 0.0094-0.0147%",
        "3-16-148410-0",
        "48.858370, 2.294481",
        "at 1732537239, for 1.299,00 or 1 234 567",
        "2026-11-25 12:20:39.123456 in room 12345-6789",
        "routing number 021000022 and account 12",
        "During 1971 and Spring 2020, 5 Main points, Wall Street in 1929",
        "pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb, bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "the orchestra was founded on 8/5/1989, born out of need 31/31/1999",
        "a passport and a driving license, passport control, license MIT",
        "756.9217.0769.86, 131052-308U, 85.07.30-033.29, TFN 123 456 783, NRIC S1234567E",
    ],
)
def test_what_only_looks_like_it_is_not_found(text: str) -> None:
    assert found(text) == []


def test_a_heading_tells_what_bare_digits_are() -> None:
    assert found("94727916") == []
    assert found("94727916", heading="customer_phone") == [("phone", "94727916")]
    assert found("536904399", heading="ssn") == [("us_ssn", "536904399")]


def test_a_second_number_after_a_phone_is_one_too() -> None:
    assert found("call 0490 75 40 81 or 9472 7916; the order is 9472 7917") == [
        ("phone", "0490 75 40 81"),
        ("phone", "9472 7916"),
    ]


def test_of_two_in_one_place_the_surer_one_stays() -> None:
    assert found("phone 4111 1111 1111 1111") == [("payment_card", "4111 1111 1111 1111")]
    assert found("https://ada:pw@mail.example.org/") == [("url_credentials", "https://ada:pw@mail.example.org")]


def test_only_the_kinds_that_are_asked_for_are_looked_for() -> None:
    text = "ada@example.org 536-90-4399"
    assert [each.kind for each in find(text, kinds=["email"])] == ["email"]
    assert "email" in known()


def test_a_shape_tells_the_form_and_not_the_value() -> None:
    assert shape("Ada.7@example.org") == "xxx.0@xxxxxxx.xxx"
    assert shape("1" * 50) == "0" * 40 + "…"


@given(
    st.lists(
        st.sampled_from(["call 9472 7916", "4111111111111111", "ada@example.org", "536-90-4399", "", "x", "phone"])
    )
)
def test_texts_searched_together_give_what_each_gives_alone(texts: list[str]) -> None:
    joined = BETWEEN_TEXTS.join(texts)
    alone = [(each, text[each.start : each.end]) for text in texts for each in find(text)]
    together = [joined[each.start : each.end] for each in find(joined)]
    assert together == [value for _, value in alone]


@given(st.text())
def test_findings_are_in_order_and_apart(text: str) -> None:
    findings = find(text)
    assert all(one.end <= other.start for one, other in pairwise(findings))
    assert all(0 <= each.start < each.end <= len(text) for each in findings)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "a@",
        "eyJ",
        "4111 ",
        "1.",
        "a:",
        "-----BEGIN PRIVATE KEY-----",
        "://",
        "(1)",
        "GB82 ",
        "a.b",
        "born ",
        "born 1/",
        "passport ",
        "account 1",
        "bc1",
        "1A",
        "routing ",
    ],
)
def test_a_hostile_megabyte_is_read_in_one_go(piece: str) -> None:
    # A search that is not linear takes hours here, and the test its limit.
    assert all(each.kind == "secret" for each in find(piece * (1_000_000 // len(piece))))


def test_a_norwegian_number_has_two_check_digits() -> None:
    born = "01017012"  # the first day of 1970
    right = [f"{born}{rest:03}" for rest in range(1000) if found(f"fødselsnummer {born}{rest:03}")]
    # Two digits of the last three are checks; for some of the ten others there is none.
    assert 7 <= len(right) <= 10


def test_check_digits_are_those_of_the_published_examples() -> None:
    assert checksums.luhn("79927398713")
    assert not checksums.luhn("79927398710")
    assert checksums.iban("GB82WEST12345698765432")
    assert checksums.verhoeff("2363")
    assert not checksums.verhoeff("2364")


def test_a_detector_finds_the_kind_it_is_registered_for() -> None:
    text = "driver's license no. D1234567, passport C01X00T47"
    assert [each.kind for each in find(text, kinds=["driving_licence"])] == ["driving_licence"]
    assert [each.kind for each in find(text, kinds=["passport"])] == ["passport"]
