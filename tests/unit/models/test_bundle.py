from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from opsloop.core.artifacts.memory import MemoryArtifacts
from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.models import bundle, runtime
from opsloop.models.errors import ModelFileBroken, NoCertificate
from opsloop.models.intervals import NoIntervals
from tests.unit.models import made


def test_a_bundle_is_the_same_in_a_store_and_in_a_folder(tmp_path: Path) -> None:
    candidate = made.iris_candidate()
    store = MemoryArtifacts()
    digest, key = bundle.keep(store, candidate)
    assert bundle.write(candidate, tmp_path) == digest
    assert store.exists(key)
    assert bundle.of_store(store, digest).file("model.onnx") == (tmp_path / "model.onnx").read_bytes()


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    bundle.write(made.iris_candidate(), tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"something else")
    with pytest.raises(ModelFileBroken, match=r"model\.onnx of the model cannot be used: its bytes are not those"):
        runtime.load_folder(tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04\x95cos\nsystem\n(S'touch /tmp/pwned'\ntR.", b"\x08\x07\x12", b"x" * 10_000]
)
def test_what_is_no_onnx_file_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(ModelFileBroken, match="cut off, or no ONNX file"):
        runtime.session_of(data)


def test_a_truncated_onnx_file_is_refused_in_a_sentence() -> None:
    whole = made.iris_candidate().files["model.onnx"]
    with pytest.raises(ModelFileBroken, match=r"model\.onnx"):
        runtime.session_of(whole[: len(whole) // 2])


def test_an_array_with_python_objects_is_never_unpickled() -> None:
    import io

    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelFileBroken, match="no array of numbers"):
        bundle.array_of("baseline.npy", file.getvalue())


def test_a_manifest_names_files_of_its_own_folder_only(tmp_path: Path) -> None:
    bundle.write(made.iris_candidate(), tmp_path)
    manifest = (tmp_path / "manifest.json").read_bytes()
    (tmp_path / "manifest.json").write_bytes(manifest.replace(b'"labels.npy"', b'"../secret"'))
    with pytest.raises(ModelFileBroken, match=r"'\.\./secret' is no name of a file"):
        bundle.of_folder(tmp_path)


def test_a_folder_without_a_manifest_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match=r"manifest\.json"):
        bundle.of_folder(tmp_path)


def test_a_model_without_a_certificate_is_not_served(tmp_path: Path) -> None:
    bundle.write(made.iris_candidate(), tmp_path)
    found = bundle.of_folder(tmp_path)
    bare = bundle.Manifest(found.signature, found.manifest.framework, found.manifest.files, None)
    with pytest.raises(NoCertificate):
        runtime.LoadedModel(bundle.Bundle(bare, "d" * 64, lambda name, _known: found.file(name)))


def test_intervals_hold_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    residuals = np.abs(random.normal(size=999)).tolist()
    from sklearn.linear_model import LinearRegression

    from opsloop.models.signature import Task

    X = random.normal(size=(200, 1))
    candidate = made.candidate(LinearRegression(), X, X[:, 0], Task.REGRESSION, conformal={"scores": residuals})
    bundle.write(candidate, tmp_path)
    rows = random.normal(size=(20_000, 1))
    low, high = runtime.load_folder(tmp_path).predict(rows).interval(0.1)
    truth = rows[:, 0] + random.normal(size=20_000)
    assert abs(np.mean((truth >= low) & (truth <= high)) - 0.9) < 0.02


def test_sets_hold_classes_by_their_probability(tmp_path: Path) -> None:
    bundle.write(made.iris_candidate(conformal={"scores": [0.05] * 98 + [0.6]}), tmp_path)
    said = runtime.load_folder(tmp_path).predict(made.iris()[0][:1])
    assert said.sets(0.1) == [[0]]
    assert said.sets(0.001) == [[0, 1, 2]]


def test_a_model_without_calibration_says_that_it_has_no_intervals(tmp_path: Path) -> None:
    bundle.write(made.iris_candidate(), tmp_path)
    with pytest.raises(NoIntervals):
        runtime.load_folder(tmp_path).predict(made.iris()[0][:1]).sets(0.1)
