"""Keys by their issuers' marks, and passwords by what is said of them. All are made up."""

from __future__ import annotations

import random
import re
import string

import pytest

from opsloop.datasets.personal_data import _MAY_HOLD
from opsloop.guardrails.pii.detectors.password import is_random
from opsloop.guardrails.pii.scan import SECRET_KINDS, find

CHANCE = random.Random(3)


def made(length: int, of: str = string.ascii_letters + string.digits) -> str:
    return "".join(CHANCE.choice(of) for _ in range(length))


HEX = "0123456789abcdef"


def found(text: str) -> list[tuple[str, str]]:
    return [(each.kind, text[each.start : each.end]) for each in find(text, kinds=SECRET_KINDS)]


@pytest.mark.parametrize(
    "key",
    [
        "hf_" + made(34),
        "npm_" + made(36),
        "pypi-AgE" + made(80),
        f"SG.{made(22)}.{made(43)}",
        "dop_v1_" + made(64, HEX),
        "dapi" + made(32, HEX),
        "hvs." + made(40),
        "glsa_" + made(40),
        "shpat_" + made(32, HEX),
        "lin_api_" + made(40),
        "GOCSPX-" + made(28),
        "ya29." + made(60),
        "123456789:AA" + made(33),
        "AGE-SECRET-KEY-1" + made(58, string.ascii_uppercase + string.digits),
        "glpat-" + made(20),
        "xoxb-" + made(30, string.digits),
        "sk-proj-" + made(40),
    ],
)
def test_a_key_is_known_by_its_issuer_s_mark(key: str) -> None:
    assert found(f"use {key} for now") == [("secret", key)]


def test_a_key_is_known_by_its_place() -> None:
    key = made(86, string.ascii_letters + string.digits + "+/") + "=="
    text = f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={key};EndpointSuffix=core.windows.net"
    assert found(text) == [("secret", key)]
    path = f"T{made(8)}/B{made(8)}/{made(24)}"
    assert found(f"post to https://hooks.slack.com/services/{path}") == [("secret", path)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("password: Winter2024!", "Winter2024"),
        ("My password is tr0ub4dor&3.", "tr0ub4dor&3"),
        ("Server=db;Uid=sa;Pwd=s3cr3t-9x;", "s3cr3t-9x"),
        ('{"db_password": "correct7horse"}', "correct7horse"),
        ("API_KEY=9f8a7c6b5d4e3f2a1b0c9d8e", "9f8a7c6b5d4e3f2a1b0c9d8e"),
        ("Authorization: Bearer q8Zt3LmN5vX2cB7dF1gH", "q8Zt3LmN5vX2cB7dF1gH"),
        ("Das Passwort ist geheim123", "geheim123"),
    ],
)
def test_a_password_is_known_by_what_is_said_of_it(text: str, value: str) -> None:
    ((kind, shown),) = found(text)
    assert kind == "password"
    assert shown.rstrip("!") == value


@pytest.mark.parametrize(
    "text",
    [
        "password: ${DB_PASSWORD}",
        "password=<your password>",
        "password: ********",
        "password = os.environ['DB_PASSWORD_1']",
        "Enter your password: required",
        "the password is forgotten",
        "token: string",
        "the secret: patience and practice",
        "secret = settings.secret_key_2",
        "api_key=YOUR_API_KEY_1234567890",
        "max_tokens: 1000, total_tokens=123456789012345678",
        "the key: see section 3.2.1 of the manual",
        "pass: 12 of 14 tests",
        "sk-short hf_ npm_x glpat- 12345:AAx",
    ],
)
def test_what_stands_for_a_secret_is_none(text: str) -> None:
    assert found(text) == []


def test_words_are_not_random_and_keys_are() -> None:
    assert not is_random("correct-horse-battery-staple")
    assert not is_random("1111111111111111111")
    assert all(is_random(made(24) + "7") for _ in range(200))


@pytest.mark.parametrize(
    "piece", ["password: ", "pwd=", "token=a", "authorization: bearer ", "secret", "gl", "AccountKey=", "sk-", "ghp_"]
)
def test_a_hostile_megabyte_is_read_in_one_go(piece: str) -> None:
    # A search that is not linear takes hours here, and the test its limit.
    assert all(each.end <= 1_000_000 for each in find(piece * (1_000_000 // len(piece)), kinds=SECRET_KINDS))


def test_what_is_found_passes_the_quick_look_of_datasets() -> None:
    texts = ("password: tr0ub4dor&3", "her passport number is C0X1P0T4", "use hf_" + "aB3" * 11, "npm_" + "aB3x" * 9)
    assert all(find(text) and re.search(_MAY_HOLD, text) for text in texts)
