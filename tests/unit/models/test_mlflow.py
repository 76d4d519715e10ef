from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from opsloop.models.errors import MirrorAway, MirrorRefused
from opsloop.models.models import ModelVersion, ModelVersionId, Parity
from opsloop.models.signature import Field, FieldType, Output, Signature, Task
from tests.unit.models.mlflow_server import FakeServer

VERSION = ModelVersion(
    id=ModelVersionId("model_1"),
    name="iris",
    version=3,
    digest="d" * 64,
    artifact="model-bundles/dd/d",
    task=Task.CLASSIFICATION,
    signature=Signature((Field("x", FieldType.NUMBER),), Output("y", Task.CLASSIFICATION, (0, 1))),
    metrics={"accuracy": 0.9, "log_loss": float("nan")},
    parity=Parity(150, 1e-7, 0, "float32", 1e-4),
    framework="scikit-learn 1.7",
    dataset="iris@1",
    run="",
    created_at=datetime(2026, 11, 25, tzinfo=UTC),
    created_by="test:admin",
)
FILES = {"model.onnx": b"onnx", "metrics.json": b"{}"}


def test_a_version_is_copied_as_a_run_and_a_model_version() -> None:
    server = FakeServer()
    with server.mirror() as mirror:
        found = mirror.copy(VERSION, FILES)
    assert (found.run, found.version) == ("run0", "1")
    assert server.runs[0]["metrics"] == {"accuracy": 0.9}
    assert server.runs[0]["params"]["dataset"] == "iris@1"
    assert "training_run" not in server.runs[0]["params"]
    assert server.runs[0]["status"] == "FINISHED"
    assert server.versions[0]["source"] == "mlflow-artifacts:/1/run0/artifacts/model"
    assert server.files["1/run0/artifacts/model/model.onnx"] == b"onnx"
    assert json.loads(server.files["1/run0/artifacts/model/MLmodel"])["flavors"]["onnx"]["data"] == "model.onnx"
    assert server.tokens == {"Bearer t0ken"}


def test_a_copy_that_broke_off_anywhere_is_finished_and_made_once() -> None:
    whole = FakeServer()
    with whole.mirror() as mirror:
        mirror.copy(VERSION, FILES)
    for broken in range(1, whole.asked + 1):
        server = FakeServer(breaks_at=broken)
        with server.mirror() as mirror:
            with pytest.raises(MirrorAway, match="connection lost"):
                mirror.copy(VERSION, FILES)
            mirror.copy(VERSION, FILES)
        assert (len(server.runs), len(server.versions)) == (1, 1), broken
        assert server.files == whole.files
        assert server.runs == whole.runs


@pytest.mark.parametrize(("status", "error"), [(503, MirrorAway), (429, MirrorAway), (403, MirrorRefused)])
def test_what_may_work_later_is_told_from_what_does_not(status: int, error: type[Exception]) -> None:
    with FakeServer(status=status).mirror() as mirror, pytest.raises(error, match=f"gave {status} TROUBLE") as raised:
        mirror.copy(VERSION, FILES)
    assert "secret" not in str(raised.value)
