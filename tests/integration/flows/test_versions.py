"""Versions of flows, on both databases."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.flows import package, versions
from opsloop.flows.models import FlowVersion

DAG = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: '${say.output}', is_chat_output: true}
nodes:
- name: say
  type: python
  source: {type: code, path: say.py}
  inputs: {question: '${inputs.question}'}
"""
CODE = "from promptflow.core import tool\n\n@tool\ndef say(question: str) -> str:\n    return question + '%s'\n"
MakeArchive = Callable[[str], bytes]


@pytest.fixture
def archive(tmp_path: Path) -> MakeArchive:
    """The archive of a flow that answers with its question and a mark."""

    def make(mark: str) -> bytes:
        folder = tmp_path / f"flow{mark}"
        folder.mkdir(exist_ok=True)
        (folder / "flow.dag.yaml").write_text(DAG)
        (folder / "say.py").write_text(CODE % mark)
        return package.archive_of(folder)

    return make


def register(workspace: Workspace, by: Caller, data: bytes, name: str = "answer") -> FlowVersion:
    with workspace.writing(by) as uow:
        return versions.register(uow, name, data)


def test_other_content_is_the_next_version_and_equal_content_the_same(
    workspace: Workspace, admin: Caller, archive: MakeArchive
) -> None:
    first = register(workspace, admin, archive("!"))
    second = register(workspace, admin, archive("?"))
    again = register(workspace, admin, archive("!"))
    assert [first.ref, second.ref, again.ref] == ["answer@1", "answer@2", "answer@1"]
    assert first.digest != second.digest


def test_the_bare_name_is_the_version_registered_last(
    workspace: Workspace, admin: Caller, archive: MakeArchive
) -> None:
    register(workspace, admin, archive("!"))
    register(workspace, admin, archive("?"))
    register(workspace, admin, archive("!"))
    with workspace.reading(admin) as uow:
        assert versions.get(uow, "answer").version == 1
        assert versions.get(uow, "answer@2").version == 2
        assert [each.ref for each in versions.listed(uow)] == ["answer@1"]
        assert [each.ref for each in versions.listed(uow, name="answer")] == ["answer@2", "answer@1"]


def test_two_versions_run_side_by_side_in_one_process(
    workspace: Workspace, admin: Caller, archive: MakeArchive
) -> None:
    opened = [versions.open(workspace, register(workspace, admin, archive(mark))) for mark in "!?"]
    answers = [asyncio.run(flow.run({"question": "why"})).outputs["answer"] for flow in opened]
    assert answers == ["why!", "why?"]
    assert versions.open_digest(workspace, register(workspace, admin, archive("!")).digest) is opened[0]


def test_registrations_at_the_same_time_get_different_numbers(
    workspace: Workspace, admin: Caller, archive: MakeArchive
) -> None:
    archives = [archive(str(number)) for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda data: register(workspace, admin, data), archives))
    assert sorted(each.version for each in made) == [1, 2, 3, 4, 5, 6]


def test_the_summary_draws_the_flow(workspace: Workspace, admin: Caller, archive: MakeArchive) -> None:
    summary = versions.summary(workspace, register(workspace, admin, archive("!")))
    assert [node.name for node in summary.nodes] == ["say"]
    assert summary.outputs[0].source == "${say.output}"
    assert "say" in summary.mermaid


def test_a_version_that_is_not_there_is_named_with_the_nearest_one(
    sqlite_workspace: Workspace, admin: Caller, archive: MakeArchive
) -> None:
    register(sqlite_workspace, admin, archive("!"))
    with sqlite_workspace.reading(admin) as uow:
        with pytest.raises(versions.FlowVersionMissing, match="'answr@1'; did you mean 'answer'"):
            versions.get(uow, "answr@1")
        with pytest.raises(versions.FlowVersionMissing, match="'answer@7'"):
            versions.get(uow, "answer@7")
        with pytest.raises(InvalidInput, match="answer@2"):
            versions.get(uow, "answer@seven")


@pytest.mark.parametrize("data", [b"", b"not a tar", b"\0" * 512, b"PK\x03\x04zip"])
def test_bytes_that_are_no_flow_are_refused_with_a_sentence(
    sqlite_workspace: Workspace, admin: Caller, data: bytes
) -> None:
    with pytest.raises(InvalidInput, match=r"flow archive|flow\.dag\.yaml"):
        register(sqlite_workspace, admin, data)
    with sqlite_workspace.reading(admin) as uow:
        assert versions.listed(uow) == []


@pytest.mark.parametrize("path", ["../outside.py", "/etc/outside.py"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(
    sqlite_workspace: Workspace, admin: Caller, path: str
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(path)
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(InvalidInput, match=r"outside\.py"):
        register(sqlite_workspace, admin, buffer.getvalue())


def test_a_viewer_may_look_and_not_register(sqlite_workspace: Workspace, archive: MakeArchive) -> None:
    viewer = Caller("test:viewer", Role.VIEWER)
    with pytest.raises(Denied):
        register(sqlite_workspace, viewer, archive("!"))


def test_a_name_that_could_be_a_path_is_refused(
    sqlite_workspace: Workspace, admin: Caller, archive: MakeArchive
) -> None:
    with pytest.raises(InvalidInput, match="flow name"):
        register(sqlite_workspace, admin, archive("!"), name="../answer")
