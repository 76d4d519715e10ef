from __future__ import annotations

import pytest

from opsloop.incidents.logs.headers import header_of, messages

SAID = ["user ada left", "cache is cold, filling it", "flushed 12 rows", "no route to host db", "retrying"] * 5


@pytest.mark.parametrize(
    "form",
    [
        "2026-01-02 03:04:{at:02},123 INFO [main] app.Server: {said}",
        "Jan  2 03:04:{at:02} web{at} sshd[{at}]: {said}",
        "[Fri Jan 02 03:04:{at:02} 2026] [error] {said}",
        "20260102-03:04:{at}|Steps|300{at}|{said}",
        "{said}",
    ],
)
def test_the_message_is_what_stands_after_the_columns_that_are_alike(form: str) -> None:
    lines = [form.format(at=at, said=said) for at, said in enumerate(SAID)]
    assert list(messages(lines)) == SAID


def test_a_continuation_line_is_all_message() -> None:
    lines = [f"2026-01-02 03:04:{at:02} INFO {said}" for at, said in enumerate(SAID)]
    assert (
        header_of(lines).message("    at com.example.Main.run(Main.java)") == "    at com.example.Main.run(Main.java)"
    )
    assert header_of(lines).message("") == ""


def test_a_log_that_says_one_thing_keeps_its_message() -> None:
    lines = [
        f"Jan  2 03:04:{at:02} web shop[{at}]: session of user{at} opened by the desk on port {at}" for at in range(30)
    ]
    assert next(messages(lines)) == "session of user0 opened by the desk on port 0"


def test_a_few_lines_have_no_header() -> None:
    assert list(messages(["1 a", "2 b"])) == ["1 a", "2 b"]
    assert list(messages([])) == []
