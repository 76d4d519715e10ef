"""Every example in the docs runs as it stands and prints what the page shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.examples import NO_SERVER, Step, matches, steps
from tests.docs.pages import PAGES, ROOT, TEMPLATES

STEP_TIMEOUT_S = 300.0
WITH_EXAMPLES = [page for page in PAGES if steps(page)]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page: Path, page_folder: Path, page_environment: dict[str, str]) -> None:
    place = page_folder / ".place"
    is_of_template = page.is_relative_to(TEMPLATES)
    place.write_text(str(page_folder / page.parent.relative_to(ROOT) if is_of_template else page_folder))
    environment = dict(page_environment)
    if NO_SERVER in page.read_text().splitlines():
        del environment["OPSLOOP_URL"]
    for step in steps(page):
        result = run(step, place, environment)
        seen = f"{step.place}\n{step.code}\n--- printed (exit code {result.returncode}):\n{result.stdout}"
        assert result.returncode == 0, seen
        assert step.printed is None or matches(step.printed, result.stdout), f"{seen}--- wanted:\n{step.printed}"


def run(step: Step, place: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step; both streams come in one, as on a terminal.

    Args:
        place: file that holds the folder to run in; a `cd` in the step changes it for the next one.
    """
    keep_folder = "trap 'pwd >\"$EXAMPLES_PLACE\"' EXIT"
    shell = ["bash", "-u", "-o", "pipefail", "-c", f"{keep_folder}\n{step.code}"]
    return subprocess.run(
        [sys.executable, "-c", step.code] if step.language == "python" else shell,
        cwd=place.read_text().strip(),
        env={**environment, "EXAMPLES_PLACE": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=STEP_TIMEOUT_S,
        check=False,
    )


def step(code: str, language: str = "bash") -> Step:
    return Step(Path("page.md"), 1, language, code, None)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    file = tmp_path / "place"
    file.write_text(str(tmp_path))
    return file


def test_a_step_starts_in_the_folder_the_last_one_left(place: Path) -> None:
    run(step("mkdir inner && cd inner"), place, {})
    assert run(step("pwd"), place, {}).stdout.strip().endswith("/inner")


def test_a_step_that_fails_is_seen_with_what_it_said(place: Path) -> None:
    result = run(step("echo oh no >&2; exit 6"), place, {})
    assert (result.returncode, result.stdout) == (6, "oh no\n")


def test_a_python_step_runs_in_this_python(place: Path) -> None:
    result = run(step("import sys; print(sys.version_info[:2])", "python"), place, {})
    assert result.stdout.strip() == str(sys.version_info[:2])
