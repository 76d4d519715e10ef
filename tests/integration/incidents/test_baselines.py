from __future__ import annotations

import threading

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.incidents.baselines import service as baselines
from opsloop.incidents.logs.lines import lines_of
from opsloop.incidents.logs.novelty import novel

JOB = "shop/build/test"


def test_a_failed_run_is_compared_with_all_that_healthy_runs_printed(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        baselines.learn(uow, JOB, lines_of("resolving dependencies\nall tests passed"))
        learned = baselines.learn(uow, JOB, lines_of("dependencies found in cache\nall tests passed"))
    assert (learned.runs, learned.shapes) == (2, 2)
    with workspace.reading(admin) as uow:
        known = baselines.baseline(uow, JOB)
        assert baselines.baseline(uow, "shop/build/lint") is None
    assert known is not None
    failed = lines_of("resolving dependencies\ndependencies found in cache\nno space left on device")
    assert [each.line.text for each in novel(failed, known)] == ["no space left on device"]


def test_the_last_ten_runs_of_a_job_are_kept(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    for run in range(12):
        clock.advance(60)
        with workspace.writing(admin) as uow:
            word = "abcdefghijkl"[run] * 5
            learned = baselines.learn(uow, JOB, [f"said {word}"])
    assert learned.runs == 10
    with workspace.reading(admin) as uow:
        known = baselines.baseline(uow, JOB)
    assert known is not None
    assert len(known) == 10
    assert [each.line.number for each in novel(lines_of("said bbbbb\nsaid ccccc"), known)] == [1]


def test_a_run_that_is_learned_again_is_replaced(workspace: Workspace, admin: Caller) -> None:
    for text in ("first words", "other things"):
        with workspace.writing(admin) as uow:
            learned = baselines.learn(uow, JOB, [text], run="4711")
    assert learned.runs == 1
    with workspace.reading(admin) as uow:
        known = baselines.baseline(uow, JOB)
    assert known is not None
    assert [each.line.number for each in novel(lines_of("first words\nother things"), known)] == [1]


def test_what_several_learn_at_once_is_all_kept(workspace: Workspace, admin: Caller) -> None:
    def learn(word: str) -> None:
        with workspace.writing(admin) as uow:
            baselines.learn(uow, JOB, [f"{word} said"], run="same" if word in ("alpha", "beta") else word)

    threads = [threading.Thread(target=learn, args=(word,)) for word in ("alpha", "beta", "gamma", "delta")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with workspace.reading(admin) as uow:
        assert [each.runs for each in baselines.listed(uow)] == [3]


def test_a_job_is_forgotten(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        baselines.learn(uow, JOB, ["a line"])
        assert baselines.forget(uow, JOB) == 1
        assert baselines.forget(uow, JOB) == 0
        assert baselines.listed(uow) == []


@pytest.mark.parametrize("job", ["", " ", "a\nb", "x" * 301])
def test_a_name_that_is_none_is_refused(sqlite_workspace: Workspace, admin: Caller, job: str) -> None:
    with sqlite_workspace.writing(admin) as uow, pytest.raises(InvalidInput, match="job"):
        baselines.learn(uow, job, ["a line"])


def test_a_viewer_teaches_nothing(sqlite_workspace: Workspace) -> None:
    with sqlite_workspace.writing(Caller("eve", Role.VIEWER)) as uow, pytest.raises(Denied):
        baselines.learn(uow, JOB, ["a line"])
