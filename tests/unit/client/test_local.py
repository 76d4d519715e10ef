from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client import local
from opsloop.client.project import KeyUnknown, Project
from opsloop.core.lock import FolderHeld, FolderLock
from opsloop.core.settings import CoreSettings


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(folder=tmp_path, name="p", lines={("settings", "prot"): 3})


def test_the_data_folder_lies_in_the_project(project: Project) -> None:
    assert local.core_settings(project).data_dir == project.folder / ".opsloop"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_PORT", "9001")
    monkeypatch.setenv("OPSLOOP_DATA_DIR", str(tmp_path / "elsewhere"))
    found = local.core_settings(Project(folder=tmp_path / "p", name="p", settings={"port": 9002, "log_level": "debug"}))

    assert (found.port, found.log_level, found.data_dir) == (9001, "debug", tmp_path / "elsewhere")


def test_nobody_holds_a_folder_that_is_not_there(project: Project) -> None:
    assert local.running_at(project) is None


def test_a_running_platform_is_found_by_its_lock(project: Project) -> None:
    with FolderLock.take(project.folder / ".opsloop") as lock:
        lock.announce("http://127.0.0.1:8700")

        assert local.running_at(project) == "http://127.0.0.1:8700"


def test_a_command_waits_for_another_that_holds_the_folder_for_a_moment(project: Project) -> None:
    lock = FolderLock.take(project.folder / ".opsloop")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            lock.release()

    assert local.running_at(project, pause=pause) is None
    assert len(pauses) == 3


def test_who_holds_the_folder_for_too_long_is_named(project: Project) -> None:
    with (
        FolderLock.take(project.folder / ".opsloop"),
        pytest.raises(FolderHeld, match=r"is held by process \d+"),
    ):
        local.running_at(project, pause=lambda _: None)


def test_a_setting_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    wrong = Project(folder=tmp_path, name="p", settings={"prot": 1}, lines={("settings", "prot"): 3})

    assert "port" in CoreSettings.model_fields
    with pytest.raises(KeyUnknown, match=r"opsloop\.yaml:3: settings\.prot is not known; did you mean 'port'\?"):
        local.refuse_unknown_settings(wrong)
