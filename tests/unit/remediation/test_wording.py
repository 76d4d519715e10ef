"""Questions of operators in the words of records."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opsloop.remediation.assistant.wording import in_our_words

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "ours"),
    [
        ("What happened at chat?", "What incident at chat?"),
        ("What broke yesterday?", "What incident 2026-02-28"),
        ("Which alarms were there today?", "Which alert were there 2026-03-01"),
        ("Which release is live now?", "Which release is serves"),
        ("Is anything wrong right now?", "Is incident"),
        ("What serves support-chat?", "What serves support-chat?"),
        ("now", ""),
    ],
)
def test_words_of_a_question_become_those_of_records(question: str, ours: str) -> None:
    assert in_our_words(question, NOW) == ours
