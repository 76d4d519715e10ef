"""`client.models` against the routes: versions, aliases, files out and in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from opsloop.client import model_files
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.models.candidate import Candidate
from tests.unit.models import made


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return made.iris_candidate()


def better(candidate: Candidate) -> Candidate:
    return replace(candidate, metrics={"accuracy": 0.99})


def test_versions_are_registered_listed_and_pointed_at(client: Client, candidate: Candidate) -> None:
    first = client.models.register("iris", candidate, alias="champion")
    second = client.models.register("iris", better(candidate))

    assert (first.ref, second.ref) == ("iris@1", "iris@2")
    assert client.models.register("iris", candidate).ref == "iris@1"
    assert [each.ref for each in client.models.listed()] == ["iris@2"]
    assert [each.ref for each in client.models.versions("iris")] == ["iris@2", "iris@1"]
    assert client.models.get("iris@champion") == client.models.get("iris@1")
    assert client.models.set_alias("iris", "champion").aliases == ("champion",)
    client.models.drop_alias("iris", "champion")
    assert client.models.get("iris").aliases == ()
    assert client.endpoints.serving("iris@1") == []
    with pytest.raises(NotFound, match="no version champion"):
        client.models.get("iris@champion")


def test_two_versions_are_compared(client: Client, candidate: Candidate) -> None:
    client.models.register("iris", candidate)
    client.models.register("iris", better(candidate))
    found = client.models.compare("iris@1", "iris@2")
    assert found.sentence == "iris@2 is better than iris@1 by every figure that differs (1)"
    assert found.metrics[0].is_better is True
    assert client.models.compare("iris", "iris@2").is_same


def test_a_version_goes_out_as_a_folder_and_comes_in_again_as_the_same(
    client: Client, candidate: Candidate, tmp_path: Path
) -> None:
    registered = client.models.register("iris", candidate)
    names = client.models.export("iris@1", tmp_path / "iris")
    assert {"manifest.json", "model.onnx", "model.skops", "baseline.npy"} <= set(names)
    again = client.models.register("copy", model_files.candidate_of(tmp_path / "iris", None))
    assert again.digest == registered.digest


def test_a_dataset_that_is_not_there_is_told(client: Client, candidate: Candidate) -> None:
    with pytest.raises(NotFound, match="nothing"):
        client.models.register("iris", candidate, dataset="nothing@1")
    assert client.models.listed() == []


def test_the_data_a_model_was_trained_on_tells_of_it(client: Client, candidate: Candidate) -> None:
    client.datasets.register_bytes("rows", "rows.csv", b"a,b\n1,2\n")
    client.models.register("iris", candidate, dataset="rows@1")
    assert [(each.noun, each.target) for each in client.datasets.uses("rows")] == [("model", "iris@1")]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"model.onnx": b"\x80\x04evil"}, "cut off, or no ONNX file"),
        ({"baseline.npy": b"\x80\x04evil"}, "baseline.npy of the model cannot be used: it is no array of numbers"),
    ],
)
def test_a_bundle_that_cannot_serve_is_not_registered(
    client: Client, candidate: Candidate, files: dict[str, bytes], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        client.models.register("iris", replace(candidate, files={**candidate.files, **files}))
    assert client.models.listed() == []


def test_a_name_that_a_page_has_is_refused(client: Client, candidate: Candidate) -> None:
    with pytest.raises(InvalidInput, match="taken by a page"):
        client.models.register("compare", candidate)


def test_a_file_for_onnx_comes_in_with_its_rows(client: Client, candidate: Candidate, tmp_path: Path) -> None:
    (tmp_path / "iris.onnx").write_bytes(candidate.files["model.onnx"])
    X, y = made.iris()
    lines = [
        ",".join([*made.IRIS_NAMES, "species"]),
        *(",".join(map(str, [*row, label])) for row, label in zip(X, y, strict=True)),
    ]
    (tmp_path / "iris.csv").write_text("\n".join(lines))
    rows = model_files.Rows(tmp_path / "iris.csv", "species")
    found = client.models.register("iris", model_files.candidate_of(tmp_path / "iris.onnx", rows))
    assert found.signature.names == made.IRIS_NAMES
    assert found.signature.output.classes == (0, 1, 2)
    assert found.metrics["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone.onnx", "is not there"),
        ("model.pkl", "a pickle runs code when it is read, and is never loaded"),
        ("model.h5", "wanted a .onnx or .skops file, or a bundle's folder"),
        ("model.onnx", "--rows FILE --target COLUMN"),
    ],
)
def test_a_file_that_is_no_model_is_refused_by_its_name(tmp_path: Path, name: str, says: str) -> None:
    if not name.startswith("gone"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises((InvalidInput, NotFound), match=says):
        model_files.candidate_of(tmp_path / name, None)


def test_a_pickle_is_written_only_when_it_is_asked_for(client: Client, candidate: Candidate, tmp_path: Path) -> None:
    client.models.register("iris", candidate)
    client.models.export("iris", tmp_path / "out")
    assert not (tmp_path / "out" / "model.pkl").exists()
    assert model_files.write_pickle(tmp_path / "out").stat().st_size > 0
