from __future__ import annotations

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.core.settings import CoreSettings, read


def test_environment_wins_over_file_and_file_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_PORT", "9001")
    settings = read(CoreSettings, {"port": 9000, "log_level": "debug"})
    assert (settings.port, settings.log_level, settings.host) == (9001, "debug", "127.0.0.1")


def test_a_variable_that_is_set_to_nothing_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA_DIR", "DATABASE_URL", "PORT"):
        monkeypatch.setenv(f"OPSLOOP_{name}", "")
    assert read(CoreSettings, {"port": 9000}) == read(CoreSettings).model_copy(update={"port": 9000})


def test_a_bad_value_names_key_value_and_wanted_form() -> None:
    with pytest.raises(InvalidInput) as caught:
        read(CoreSettings, {"port": 99_999})
    assert caught.value.sentence == "setting port: is 99999; wanted less than or equal to 65535"


def test_a_secret_is_not_repeated_in_the_sentence() -> None:
    with pytest.raises(InvalidInput) as caught:
        read(CoreSettings, {"llm_api_key": ["hunter2"]})
    assert "hunter2" not in caught.value.sentence


def test_settings_are_frozen() -> None:
    settings = read(CoreSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
