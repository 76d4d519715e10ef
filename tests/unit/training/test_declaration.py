"""The operating side of a pipeline's declaration: schedule, window, notices, webhook."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.training import declaration
from opsloop.training.declaration import Notify
from opsloop.training.window import Window

LEARNED = {"dataset": "iris", "target": "species", "steps": ["logistic_regression"]}


def test_a_pipeline_trains_daily_at_three_unless_it_says_otherwise() -> None:
    assert declaration.parse(LEARNED).schedule == "0 3 * * *"
    assert declaration.parse({**LEARNED, "schedule": "none"}).schedule is None
    assert declaration.parse({**LEARNED, "schedule": None}).schedule is None
    assert declaration.parse({**LEARNED, "schedule": "*/5 * * * 1"}).schedule == "*/5 * * * 1"


def test_whom_it_tells_and_what_starts_it_stand_as_references() -> None:
    found = declaration.parse(
        {
            **LEARNED,
            "window": {"rows": 100},
            "notify": {
                "slack": "${env:SLACK_WEBHOOK}",
                "webhook": {"url": "https://example.com/hook", "secret": "${env:HOOK_SECRET}"},
                "on": ["failed"],
            },
            "webhook": {"secret": "${env:TRAIN_SECRET}"},
            "model": "flowers",
        }
    )
    assert found.window == Window(rows=100)
    assert found.notify == Notify("${env:SLACK_WEBHOOK}", "https://example.com/hook", "${env:HOOK_SECRET}", ("failed",))
    assert (found.hook_secret, found.model) == ("${env:TRAIN_SECRET}", "flowers")


def test_what_is_learned_is_what_is_left() -> None:
    values = {**LEARNED, "schedule": "none", "window": {"rows": 3}, "model": "flowers", "notify": None, "webhook": None}
    assert declaration.learned(values) == LEARNED


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"schedule": 3}, "schedule: is 3; wanted five cron fields"),
        ({"schedule": "at three"}, "schedule: cron: is 'at three'; wanted five cron fields"),
        ({"window": {"rows": -1}}, "window.rows: is -1; wanted a whole number"),
        ({"notify": "slack"}, "notify: is 'slack'; wanted a mapping with slack, webhook, on"),
        ({"notify": {}}, "notify: is {}; wanted slack or webhook, to know whom to tell"),
        ({"notify": {"slack": "https://hooks.slack.com/services/T/B/s3cret"}}, "notify.slack: wanted ${env:NAME}"),
        ({"notify": {"webhook": {"url": "x"}}}, "notify.webhook.url: wanted an http:// or https:// URL"),
        ({"notify": {"webhook": {"secret": "${env:A}"}}}, "notify.webhook.url: is None; wanted a URL"),
        ({"notify": {"slack": "${env:A}", "on": ["done"]}}, "notify.on: is ['done']; wanted a list of finished"),
        ({"webhook": {"secret": "s3cret"}}, "webhook.secret: wanted ${env:NAME}"),
        ({"webhook": {"key": 1}}, "webhook: is {'key': 1}; wanted a mapping with secret"),
        ({"model": "a/b"}, "model: is 'a/b'; wanted up to 80 letters"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        declaration.parse({**LEARNED, **values})
    assert caught.value.sentence.startswith(sentence)
    assert "s3cret" not in caught.value.sentence
