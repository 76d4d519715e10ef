"""Files that an experiment and a judge name go with them as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client import judges
from opsloop.client.experiment_functions import with_sources
from opsloop.core.errors import InvalidInput


def test_a_function_beside_the_experiment_goes_with_it_as_text(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "mine.py").write_text("def measure(answer): return 1\n")
    (tmp_path / "rubric.prompty").write_text("---\nname: r\n---\nuser:\n{{answer}}\n")
    plain = {"name": "latency"}
    installed = {"name": "near", "function": "acme.checks:near"}
    declared = {
        "name": "x",
        "evaluators": [
            {"name": "mine", "function": "checks/mine.py:measure"},
            {"name": "judge", "options": {"prompty": "rubric.prompty"}},
            plain,
            installed,
        ],
    }
    found = with_sources(declared, tmp_path)["evaluators"]
    assert found[0]["source"] == "def measure(answer): return 1\n"
    assert found[1]["options"]["prompty"].endswith("{{answer}}\n")
    assert found[2:] == [plain, installed]
    assert with_sources({"name": "x"}, tmp_path) == {"name": "x"}


def test_a_file_that_cannot_be_read_names_the_evaluator(tmp_path: Path) -> None:
    declared = {"evaluators": [{"name": "mine", "function": "none.py:measure"}]}
    with pytest.raises(InvalidInput, match=r"evaluators\[0\]\.function: is 'none\.py:measure'.*No such file"):
        with_sources(declared, tmp_path)
    (tmp_path / "large.py").write_text("#" * 300_000)
    with pytest.raises(InvalidInput, match="at most 200,000 bytes"):
        with_sources({"evaluators": [{"name": "mine", "function": "large.py:measure"}]}, tmp_path)


def test_a_judge_is_a_file_of_its_own_or_a_prompty(tmp_path: Path) -> None:
    (tmp_path / "judge.prompty").write_text("---\nname: r\n---\nuser:\n{{answer}}\n")
    (tmp_path / "judge.yaml").write_text("scale: 1-5\nprompty: judge.prompty\n")
    text = (tmp_path / "judge.prompty").read_text()
    assert judges.read(tmp_path / "judge.yaml") == {"scale": "1-5", "prompty": text}
    assert judges.read(tmp_path / "judge.prompty") == {"prompty": text}
