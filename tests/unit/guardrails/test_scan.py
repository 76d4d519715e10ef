"""What screens give together, and what becomes of one that fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from opsloop.guardrails.errors import UnknownScreen
from opsloop.guardrails.models import Action, Finding, ScreenFailure
from opsloop.guardrails.policy import parse
from opsloop.guardrails.scan import scan
from opsloop.guardrails.screening import Tally, screened
from opsloop.guardrails.screens.registry import known
from opsloop.guardrails.streaming import StreamRedactor

KEY = "AKIAIOSFODNN7EXAMPLE"
TEXT = f"write to ada@example.org, the key is {KEY}"


def test_personal_data_and_secrets_are_different_screens() -> None:
    mail = Finding("pii", "email", 9, 24, 0.95)
    secret = Finding("secrets", "secret", TEXT.index(KEY), len(TEXT), 0.97)
    assert scan(TEXT, ["secrets", "pii"]).findings == (mail, secret)
    assert scan(TEXT, ["pii"]).findings == (mail,)
    assert scan(TEXT, ["secrets"]).is_complete


def test_a_name_that_no_screen_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownScreen, match=r"^screens: is 'pi'; wanted one of .*pii, .*secrets$"):
        scan(TEXT, ["pi"])


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution with its metadata, as an installer leaves it."""
    (tmp_path / "acme_screens.py").write_text(
        "from opsloop.guardrails.models import Finding\n"
        "from opsloop.guardrails.screens.finder import settled_by\n"
        "from opsloop.guardrails.screens.screen import Screen\n\n"
        "def codenames(text):\n"
        "    at = text.find('Bluebird')\n"
        "    if at >= 0:\n        yield Finding('anything', 'codename', at, at + 8, 1.0)\n\n"
        "slow = Screen('other', ('slow',), lambda text: [], by_default=False)\n\n"
        "projects = Screen('projects', ('codename',), codenames, by_default=False, settled=settled_by)\n\n"
        "def raises(text):\n    raise KeyError(text)\n\n"
        "def outside(text):\n    return [Finding('x', 'codename', 0, len(text) + 1, 1.0)]\n\n"
        "def unsure(text):\n    return [Finding('x', 'codename', 0, 1, float('nan'))]\n\n"
        "def shouts(text):\n    return [Finding('x', text, 0, 1, 1.0)]\n\n"
        "def words(text):\n    return ['codename']\n\n"
        "nothing = 3\n"
    )
    names = ("codenames", "slow", "projects", "raises", "outside", "unsure", "shouts", "words", "nothing")
    points = "".join(f"{name} = acme_screens:{name}\n" for name in names)
    metadata = tmp_path / "acme_screens-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-screens\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[opsloop.guardrails]\n{points}gone = acme_screens_missing:x\npii = acme_screens:codenames\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    known.cache_clear()
    yield
    known.cache_clear()
    sys.modules.pop("acme_screens", None)


@pytest.mark.usefixtures("installed")
def test_a_function_of_an_installed_package_is_a_screen_under_its_entry_point_s_name() -> None:
    assert scan("Project Bluebird", ["codenames"]).findings == (Finding("codenames", "codename", 8, 16, 1.0),)
    assert known().screens["slow"].kinds == ("slow",)


@pytest.mark.usefixtures("installed")
def test_a_screen_of_an_installed_package_is_named_in_policies_and_holds_streams_no_longer_than_it_says() -> None:
    policy = parse({"answers": {"projects": "redact", "email": "redact"}})
    assert policy.actions("answer")["codename"] is Action.REDACT
    said = "Ask ada@example.org about Bluebird. " + "It is a long story. " * 20
    assert screened(said, policy, Tally("answer")) == said.replace("ada@example.org", "[EMAIL]").replace(
        "Bluebird", "[CODENAME]"
    )
    stream = StreamRedactor(policy, Tally("answer"))
    begun = stream.feed(said)
    assert begun.startswith("Ask [EMAIL] about [CODENAME]. It is")
    assert stream.held < 200
    assert begun + stream.finish() == screened(said, policy, Tally("answer"))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["raises", "outside", "unsure", "shouts", "words"])
def test_a_screen_that_fails_is_named_and_logged_without_the_text(name: str) -> None:
    known()
    with capture_logs() as logs:
        done = scan(TEXT, ["pii", name])
    assert [each.kind for each in done.findings] == ["email"]
    assert [each.screen for each in done.failures] == [name]
    assert not done.is_complete
    assert [(each["event"], each["screen"]) for each in logs] == [("guardrail_screen_failed", name)]
    assert KEY not in f"{logs} {done.failures}"


@pytest.mark.usefixtures("installed")
def test_a_screen_that_cannot_be_loaded_is_missed_in_every_scan() -> None:
    with capture_logs() as logs:
        there = known()
    assert there.broken["gone"].reason.startswith("acme_screens_missing:x of acme-screens cannot be loaded: Module")
    assert there.broken["nothing"].reason.endswith("is a int; wanted a Screen or a function of a text")
    assert {each["event"] for each in logs} == {"guardrail_screen_broken"}
    assert {each["screen"] for each in logs} == set(there.broken)
    failed = {each.screen for each in scan("").failures}
    assert set(there.broken) <= failed
    assert "slow" not in there.default_names


@pytest.mark.usefixtures("installed")
def test_a_package_cannot_take_the_name_of_a_screen_of_ours() -> None:
    assert "email" in known().screens["pii"].kinds
    assert known().broken["acme-screens:pii"] == ScreenFailure(
        "acme-screens:pii", "acme-screens names a screen pii, and Opsloop has that one"
    )
