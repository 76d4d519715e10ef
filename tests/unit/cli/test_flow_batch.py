"""What a batch tells while it runs and at its end."""

from __future__ import annotations

import pytest

from opsloop.cli import text
from opsloop.cli.flow.batch import remaining_s, tokens_in_words
from opsloop.flows.batch import Progress
from opsloop.flows.results import TokenUse


def test_the_time_left_goes_by_the_rows_of_this_process_and_not_by_those_taken_over() -> None:
    assert remaining_s(Progress(done=60, total=100, failed=0, resumed=50), elapsed_s=5.0) == 20.0
    assert remaining_s(Progress(done=50, total=100, failed=0, resumed=50), elapsed_s=5.0) is None


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (TokenUse(), ""),
        (TokenUse(10, 5, calls=1), "1 model call: 10 prompt and 5 completion tokens"),
        (TokenUse(10, 5, calls=4, uncounted_calls=3), "4 model calls: 10 prompt and 5 completion tokens; 3 calls were"),
        (TokenUse(calls=2, uncounted_calls=2), "2 model calls: tokens unknown, the server counted none"),
    ],
)
def test_calls_that_no_server_counted_are_told_and_never_zero_tokens(tokens: TokenUse, words: str) -> None:
    assert tokens_in_words(tokens).startswith(words)
    assert not words or tokens_in_words(tokens)


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (99, "99 s"), (180, "3 min"), (9000, "2.5 h")])
def test_how_long_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words
