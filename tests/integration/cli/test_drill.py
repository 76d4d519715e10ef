"""What a project says of its drill, and what is said when that is wrong."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from opsloop.cli.drill import wanted
from opsloop.cli.drill.callers import Callers
from opsloop.cli.main import opsloop, run
from opsloop.client.project import Project, ProjectInvalid, load
from opsloop.incidents.settings import IncidentSettings

EXAMPLES = Path(__file__).parents[3] / "examples"


def sample(tmp_path: Path, old: str = "", new: str = "") -> Project:
    """The sample project, with something else in its opsloop.yaml."""
    folder = tmp_path / "sample"
    shutil.copytree(EXAMPLES / "support-chatbot", folder, ignore=shutil.ignore_patterns(".opsloop"))
    text = (folder / "opsloop.yaml").read_text()
    assert old in text
    (folder / "opsloop.yaml").write_text(text.replace(old, new))
    return load(folder)


def test_the_sample_declares_a_drill(tmp_path: Path) -> None:
    found = wanted.read(sample(tmp_path))
    assert found is not None
    assert (found.endpoint.name, found.dataset, found.rows.name) == (
        "handover", "conversations", "conversations-in-minutes.csv"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  rows: drill/", "  row: drill/", "drill.row is not known; did you mean 'rows'?"),
        (
            "rows: drill/conv",
            "rows: drill/none-conv",
            "drill.rows is 'drill/none-conversations-in-minutes.csv'; wanted",
        ),
        ("experiment: drill/experiment.yaml", "experiment: drill", "drill.experiment is 'drill'; wanted a file"),
        (
            "drill:\n  endpoint: handover",
            "drill:\n  endpoint: support-chat",
            "drill.endpoint is 'support-chat'; wanted an endpoint of this project with a model and its pipeline: hand",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    project = sample(tmp_path, old, new)
    with pytest.raises(ProjectInvalid) as refused:
        wanted.read(project)
    assert sentence in refused.value.sentence
    assert "opsloop.yaml:" in refused.value.sentence


def test_a_project_without_one_is_told_how_to_declare_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "--project", str(EXAMPLES / "iris")]) == 3
    assert "declares no drill; add `drill:` to its opsloop.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "collect_s"), [([], 3), (["--no-demo"], None)])
def test_the_demo_brings_settings_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], collect_s: int | None
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("opsloop.cli.up.SERVE", f"{__name__}:served")
    monkeypatch.setattr(f"{__name__}.served", lambda *_, file_values, **__: seen.append(file_values))
    done = CliRunner().invoke(opsloop, ["up", "--project", str(sample(tmp_path).folder), *words], standalone_mode=False)
    assert done.exit_code == 0, done.output
    assert IncidentSettings.model_fields["incident_collect_s"]
    assert [each.get("incident_collect_s") for each in seen] == [collect_s]


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("settings: 3", "demo.settings is 3; wanted settings by name"),
        ("settings: {incident_colect_s: 3}", "demo.settings.incident_colect_s is not known; did you mean 'incident_co"),
    ],
)
def test_settings_of_the_demo_that_are_no_settings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: str, sentence: str
) -> None:
    monkeypatch.setattr("opsloop.cli.up.SERVE", f"{__name__}:served")
    folder = sample(tmp_path, "settings: {incident_collect_s: 3}", new).folder
    done = CliRunner().invoke(opsloop, ["up", "--project", str(folder)], standalone_mode=False)
    assert isinstance(done.exception, ProjectInvalid)
    assert sentence in done.exception.sentence


def test_callers_send_each_row_without_its_label_and_count_what_is_not_answered(answering: Callable[[], str]) -> None:
    rows = [{"a": each, "label": "yes"} for each in range(3)]
    callers = Callers(answering(), "signs", rows, columns=["a"])
    callers.ask(6)
    callers.send_from([{"a": 9, "label": "no"}])
    callers.ask(1)
    callers.close()
    assert sorted(Answering.bodies) == sorted([*(f'{{"inputs":[{{"a":{each}}}]}}' for each in (0, 1, 2) * 2), NINE])
    assert (callers.asked, callers.failed) == (7, 1)


NINE = '{"inputs":[{"a":9}]}'


class Answering(BaseHTTPRequestHandler):
    """Takes every row but a 9."""

    bodies: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.bodies.append(body)
        self.send_response(422 if body == NINE else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[Callable[[], str]]:
    Answering.bodies = []
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield lambda: f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


def served(*_: object, **__: object) -> None:
    """In the place of the server."""
    raise AssertionError("the test puts its own here")
