"""Frozen flows: the same content is the same package, and nothing leaves or enters a folder that should not."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from opsloop.core.artifacts.memory import MemoryArtifacts
from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.flows import package, service
from opsloop.flows.errors import FlowInvalid, FlowTooLarge, PackageDamaged
from opsloop.flows.formats import flow_file

WriteFlow = Callable[..., Path]

DAG = """
    outputs: {y: {type: string, reference: "${work.output}"}}
    nodes: [{name: work, type: python, source: {path: work.py}}]
"""
WORK = "from promptflow.core import tool\n@tool\ndef work(): return 'ran'\n"


@pytest.fixture
def folder(write_flow: WriteFlow) -> Path:
    return write_flow(DAG, **{"work.py": WORK, "data/a.txt": "a"})


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    return MemoryArtifacts()


def test_the_same_content_is_the_same_package(folder: Path, artifacts: MemoryArtifacts, write_flow: WriteFlow) -> None:
    first = package.freeze(folder, artifacts)
    stored = artifacts.get(first.key)
    other = write_flow(DAG, folder="elsewhere", **{"data/a.txt": "a", "work.py": WORK})
    os.utime(other / "work.py", (1, 1))
    for name in (".git/config", "__pycache__/x.pyc", ".opsloop/state.db"):
        (other / name).parent.mkdir(exist_ok=True)
        (other / name).write_text("x")
    elsewhere = MemoryArtifacts()
    assert package.freeze(other, elsewhere) == first
    assert elsewhere.get(first.key) == stored
    assert first.files == 3


@pytest.mark.parametrize(("old", "new"), [("work.py", "wörk.py"), ("data/a.txt", "data/b.txt")])
def test_another_name_or_byte_is_another_package(folder: Path, artifacts: MemoryArtifacts, old: str, new: str) -> None:
    first = package.freeze(folder, artifacts)
    (folder / old).rename(folder / new)
    second = package.freeze(folder, artifacts)
    (folder / new).write_text("changed")
    third = package.freeze(folder, artifacts)
    assert len({first.digest, second.digest, third.digest}) == 3


def test_a_folder_too_large_for_a_package_is_named_without_reading_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "SIZE_LIMIT_BYTES", 10)
    before = package.digest_of(folder)
    (folder / "data" / "a.txt").write_text("another size")

    monkeypatch.setattr(package, "_packed", lambda *_: pytest.fail("it was read"))
    assert package.digest_of(folder) != before


def test_a_frozen_flow_runs(folder: Path, workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        frozen = service.freeze(uow, folder)
    flow = service.load_frozen(workspace, frozen.digest)
    assert flow.run_sync({}).outputs == {"y": "ran"}
    assert service.load_frozen(workspace, frozen.digest) is flow
    assert package.digest_of(service.materialise(workspace, frozen.digest)) == frozen.digest


def test_a_package_that_is_not_there_is_missing(artifacts: MemoryArtifacts, tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        package.materialise("0" * 64, artifacts, tmp_path)


def test_a_changed_package_is_refused_and_leaves_nothing(
    folder: Path, artifacts: MemoryArtifacts, tmp_path: Path
) -> None:
    frozen = package.freeze(folder, artifacts)
    artifacts.put(frozen.key, artifacts.get(frozen.key).replace(b"'ran'", b"'bad'"))
    with pytest.raises(PackageDamaged, match="digest"):
        package.materialise(frozen.digest, artifacts, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "a/../../evil"])
def test_an_archive_cannot_write_outside_its_folder(artifacts: MemoryArtifacts, tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"evil"))
    artifacts.put(package.key_of("f" * 64), buffer.getvalue())
    with pytest.raises(PackageDamaged, match="no file inside the flow"):
        package.materialise("f" * 64, artifacts, tmp_path / "cache")


def test_links_inside_are_followed_and_links_outside_refused(
    folder: Path, artifacts: MemoryArtifacts, tmp_path: Path
) -> None:
    (folder / "b.txt").symlink_to(folder / "data" / "a.txt")
    assert package.freeze(folder, artifacts).files == 4
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "c.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(FlowInvalid, match=r"c\.txt: the link is"):
        package.freeze(folder, artifacts)


def test_links_to_elsewhere_in_the_project_are_followed(
    tmp_path: Path, folder: Path, artifacts: MemoryArtifacts
) -> None:
    (tmp_path / "opsloop.yaml").touch()
    (tmp_path / "shared.txt").write_text("shared")
    (folder / "c.txt").symlink_to(tmp_path / "shared.txt")
    frozen = package.freeze(folder, artifacts)
    assert (package.materialise(frozen.digest, artifacts, tmp_path / "cache") / "c.txt").read_text() == "shared"


def test_a_link_to_a_folder_around_it_is_refused(folder: Path, artifacts: MemoryArtifacts) -> None:
    (folder / "data" / "again").symlink_to(folder)
    with pytest.raises(FlowInvalid, match="lead back"):
        package.freeze(folder, artifacts)


def test_a_folder_over_the_limit_is_refused(
    folder: Path, artifacts: MemoryArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "SIZE_LIMIT_BYTES", 10)
    with pytest.raises(FlowTooLarge, match="the limit is 10 bytes"):
        package.freeze(folder, artifacts)


def test_a_flow_with_includes_runs_after_freezing(write_flow: WriteFlow, workspace: Workspace, admin: Caller) -> None:
    write_flow("", folder="shared", **{"common/name.py": "NAME = 'shared'"})
    dag = "additional_includes: [../shared/common]\n" + DAG.replace("\n    ", "\n")
    code = "from promptflow.core import tool\nfrom common.name import NAME\n@tool\ndef work(): return NAME"
    path = write_flow(dag, **{"work.py": code})
    with workspace.writing(admin) as uow:
        frozen = service.freeze(uow, path)
    assert service.load_frozen(workspace, frozen.digest).run_sync({}).outputs == {"y": "shared"}


def test_a_flow_is_checked_and_drawn(folder: Path) -> None:
    assert service.validate(folder) == ()
    assert "work" in service.draw(folder)


def archive_of(*names: str, **headers: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 4
            entry.pax_headers = dict(headers)
            archive.addfile(entry, io.BytesIO(b"evil"))
    return buffer.getvalue()


def test_a_file_that_would_unpack_to_any_size_is_refused_before_it_is_unpacked() -> None:
    sparse = {"GNU.sparse.size": str(10**15), "GNU.sparse.map": "0,4", "GNU.sparse.numblocks": "1"}
    with pytest.raises(PackageDamaged, match="no file inside the flow"):
        package.digest_in(archive_of("flow.dag.yaml", **{**sparse, "GNU.sparse.name": "flow.dag.yaml"}))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("a" * 256,), "no file inside the flow"),
        (("a\udc80",), "no file inside the flow"),
        (("a", "a"), "is there twice"),
        (("a", "./a"), "is there twice"),
        (("a", "a/b"), "a file and a folder"),
        (("a/b/c", "a/b"), "a file and a folder"),
    ],
)
def test_an_archive_whose_files_cannot_all_be_made_is_refused(names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(PackageDamaged, match=reason):
        package.digest_in(archive_of(*names))


def test_an_archive_of_too_many_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "FILES_LIMIT", 2)
    assert package.digest_in(archive_of("a", "b"))
    with pytest.raises(PackageDamaged, match="more than 2 files"):
        package.digest_in(archive_of("a", "b", "c"))


def test_a_prompty_among_several_is_frozen_as_that_one(tmp_path: Path, artifacts: MemoryArtifacts) -> None:
    folder = tmp_path / "prompties"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.prompty").write_text(f"---\nname: {name}\n---\nuser:\n{{{{question}}}}")
    for name in ("one", "two"):
        frozen = package.freeze(folder, artifacts, file=f"{name}.prompty")
        again = package.materialise(frozen.digest, artifacts, tmp_path / "cache")
        assert flow_file.read(again).name == name
        assert package.digest_of(again, file=f"{name}.prompty") == frozen.digest
