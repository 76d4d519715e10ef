from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.core.settings import read
from opsloop.monitoring.alarms.models import Alarm, AlarmId, AlarmKind, AlarmState
from opsloop.monitoring.drift.hooks import Hook, parse, slack, told
from opsloop.monitoring.settings import MonitoringSettings

AT = datetime(2027, 1, 1, tzinfo=UTC)
ALARM = Alarm(
    id=AlarmId("alarm_1"),
    kind=AlarmKind.DRIFT,
    endpoint="iris",
    release="rel_1",
    model="iris@3",
    state=AlarmState.OPEN,
    feature="length",
    sentence="length < its baseline",
    score=1.2,
    since_row=41,
    since_at=AT,
    expected_delay_rows=28.0,
    evidence={},
    opened_at=AT,
    acknowledged_at=None,
    acknowledged_by=None,
    closed_at=None,
    closed_by=None,
    outcome=None,
    reason=None,
)


@pytest.mark.parametrize(
    ("declared", "hooks"),
    [
        (None, ()),
        ("https://example.com/a", (Hook("https://example.com/a"),)),
        ("https://hooks.slack.com/services/a", (Hook("https://hooks.slack.com/services/a", form="slack"),)),
        ("${env:HOOK}", (Hook("${env:HOOK}"),)),
        ({"url": "${env:HOOK}", "form": "slack"}, (Hook("${env:HOOK}", form="slack"),)),
        (["http://a", {"url": "http://b", "secret": "s"}], (Hook("http://a"), Hook("http://b", "s"))),
    ],
)
def test_a_webhook_is_declared_as_a_url_a_mapping_or_several(declared: object, hooks: tuple[Hook, ...]) -> None:
    assert parse(declared) == hooks


@pytest.mark.parametrize("declared", ["ftp://a", "nonsense", 3, {"form": "slack"}, {"url": "http://a", "form": "xml"}])
def test_a_webhook_that_is_none_is_refused_without_repeating_it(declared: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^drift\.webhook") as refused:
        parse(declared)
    assert "nonsense" not in refused.value.sentence


def test_a_secret_address_does_not_stand_in_what_is_logged() -> None:
    assert "services" not in repr(parse("https://hooks.slack.com/services/a"))


def test_a_webhook_is_told_the_facts_of_an_alarm() -> None:
    payload = told(ALARM)
    assert (payload["event"], payload["feature"], payload["since_row"]) == ("drift.detected", "length", 41)
    assert payload["since_at"] == "2027-01-01T00:00:00+00:00"


def test_slack_gets_a_sentence_with_its_own_signs_escaped() -> None:
    assert "length &lt; its baseline" in slack(ALARM)["text"]
    assert "Performance alarm" in slack(replace(ALARM, kind=AlarmKind.PERFORMANCE))["text"]


def test_the_short_name_of_the_setting_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFT_WEBHOOK", "http://short")
    assert read(MonitoringSettings).drift_webhook == "http://short"
    monkeypatch.setenv("OPSLOOP_DRIFT_WEBHOOK", "http://long")
    assert read(MonitoringSettings).drift_webhook == "http://long"


def test_the_project_file_names_the_webhook_too() -> None:
    assert read(MonitoringSettings, {"drift_webhook": "http://file"}).drift_webhook == "http://file"
