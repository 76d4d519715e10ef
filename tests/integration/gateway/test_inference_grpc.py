"""The Open Inference Protocol over gRPC: a real server and a real channel before a platform's application."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import grpc
import grpc.aio
import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from opsloop.core.caller import Role
from opsloop.core.identity import keys
from opsloop.core.settings import CoreSettings
from opsloop.models.signature import Task
from opsloop.server.inference.listening import GrpcPortInUse, over_grpc
from opsloop.server.inference.messages import SERVICE, message
from opsloop.server.inference.service import server_of
from opsloop.server.platform import Platform
from tests.integration.gateway.test_predict import ROWS, release
from tests.integration.gateway.world import OPERATOR, Shop
from tests.unit.models.made import candidate, iris_candidate, mixed

T = TypeVar("T")
Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def settings(migrated_folder: Path) -> CoreSettings:
    return CoreSettings(data_dir=migrated_folder)


def asked(shop: Shop, calls: Callable[[Ask], Awaitable[T]], *, on_loopback: bool = True) -> T:
    """What some calls come to while a platform answers them over gRPC."""

    async def run() -> T:
        platform = Platform(shop.workspace, listens_on_loopback=on_loopback)
        await platform.gateway.start()
        server = server_of(platform.app, host="127.0.0.1", limit_bytes=shop.workspace.settings.body_limit_bytes)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

                async def ask(name: str, request: Any = None, **metadata: str) -> Any:
                    call = channel.unary_unary(
                        f"/{SERVICE}/{name}",
                        request_serializer=message(f"{name}Request").SerializeToString,
                        response_deserializer=message(f"{name}Response").FromString,
                    )
                    return await call(request or message(f"{name}Request")(), metadata=tuple(metadata.items()))

                return await calls(ask)
        finally:
            await server.stop(None)
            await platform.gateway.drain(5)

    return asyncio.run(run())


def infer(rows: list[list[float]], *, model: str = "iris", **fields: Any) -> Any:
    made = message("ModelInferRequest")(model_name=model, **fields)
    tensor = made.inputs.add(name="rows", datatype="FP64", shape=[len(rows), len(rows[0])])
    tensor.contents.fp64_contents.extend(value for row in rows for value in row)
    return made


def refused(shop: Shop, name: str, request: Any, **metadata: str) -> tuple[grpc.StatusCode, str]:
    async def calls(ask: Ask) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.aio.AioRpcError) as found:
            await ask(name, request, **metadata)
        return found.value.code(), found.value.details() or ""

    return asked(shop, calls)


def test_rows_are_predicted_and_recorded(shop: Shop) -> None:
    release(shop, iris_candidate())
    said = asked(shop, lambda ask: ask("ModelInfer", infer(ROWS, id="mine"), **{"x-request-id": "req-7"}))
    assert (said.model_name, said.model_version, said.id) == ("iris", "1", "mine")
    assert said.parameters["drift_detected"].bool_param is False
    predictions, probabilities = said.outputs
    assert (predictions.name, predictions.datatype, list(predictions.shape)) == ("predictions", "INT64", [2])
    assert list(predictions.contents.int64_contents) == [0, 2]
    assert sum(list(probabilities.contents.fp64_contents)[:3]) == pytest.approx(1)
    assert [each.request_id for each in shop.records("iris")] == ["req-7"]


def test_raw_bytes_come_back_as_raw_bytes(shop: Shop) -> None:
    release(shop, iris_candidate())
    request = message("ModelInferRequest")(model_name="iris", model_version="1")
    request.inputs.add(name="rows", datatype="FP32", shape=[2, 4])
    request.outputs.add(name="predictions")
    request.raw_input_contents.append(np.array(ROWS, dtype="<f4").tobytes())
    said = asked(shop, lambda ask: ask("ModelInfer", request))
    assert [np.frombuffer(each, "<i8").tolist() for each in said.raw_output_contents] == [[0, 2]]
    assert not said.outputs[0].HasField("contents")


def test_columns_of_several_types_come_as_tensors_of_their_own(shop: Shop) -> None:
    X, y = mixed()
    columns = make_column_transformer((OneHotEncoder(), [1]), remainder="passthrough")
    made = candidate(make_pipeline(columns, LinearRegression()), X, y, Task.REGRESSION)
    release(shop, made, endpoint="colours")
    request = message("ModelInferRequest")(model_name="colours")
    request.inputs.add(name="x0", datatype="FP64", shape=[2, 1])
    request.inputs.add(name="x1", datatype="BYTES", shape=[2, 1])
    request.inputs.add(name="x2", datatype="FP64", shape=[2, 1])
    texts = b"".join(struct.pack("<I", len(text)) + text for text in (b"red", b"blue"))
    numbers = np.array([0.5, 0.25]).tobytes()
    request.raw_input_contents.extend([numbers, texts, numbers])
    said = asked(shop, lambda ask: ask("ModelInfer", request))
    assert np.frombuffer(said.raw_output_contents[0], "<f8") == pytest.approx([2.5, 0.25], abs=1e-3)


def test_what_a_model_takes_is_told(shop: Shop) -> None:
    release(shop, iris_candidate())

    async def calls(ask: Ask) -> tuple[Any, ...]:
        named = message("ModelReadyRequest")(name="iris")
        unknown = message("ModelReadyRequest")(name="roses")
        return (
            await ask("ServerLive"),
            await ask("ServerReady"),
            await ask("ServerMetadata"),
            await ask("ModelReady", named),
            await ask("ModelReady", unknown),
            await ask("ModelMetadata", message("ModelMetadataRequest")(name="iris")),
        )

    live, ready, server, there, absent, model = asked(shop, calls)
    assert (live.live, ready.ready, server.name) == (True, True, "opsloop")
    assert (there.ready, absent.ready) == (True, False)
    assert [(each.datatype, list(each.shape)) for each in model.inputs] == [("FP64", [-1, 4])]
    assert list(model.versions) == ["1"]


@pytest.mark.parametrize(
    ("request_", "code", "sentence"),
    [
        (infer(ROWS, model="roses"), grpc.StatusCode.NOT_FOUND, "no endpoint named 'roses'"),
        (infer(ROWS, model_version="9"), grpc.StatusCode.NOT_FOUND, "does not serve version 9"),
        (infer([[1.0, 2.0]]), grpc.StatusCode.INVALID_ARGUMENT, "[rows, 4]"),
        (infer([[math.nan, 1, 1, 1]]), grpc.StatusCode.INVALID_ARGUMENT, "row 0, column 'sepal_length'"),
        (infer([[math.inf, 1, 1, 1]]), grpc.StatusCode.INVALID_ARGUMENT, "wanted a finite number"),
        (infer(ROWS, raw_input_contents=[b"", b""]), grpc.StatusCode.INVALID_ARGUMENT, "one for each input"),
        (infer(ROWS, raw_input_contents=[b"abc"]), grpc.StatusCode.INVALID_ARGUMENT, "a multiple of 8"),
        (message("ModelInferRequest")(model_name="iris"), grpc.StatusCode.INVALID_ARGUMENT, "is missing"),
    ],
)
def test_bad_calls_get_a_code_and_a_sentence(shop: Shop, request_: Any, code: grpc.StatusCode, sentence: str) -> None:
    release(shop, iris_candidate())
    found, detail = refused(shop, "ModelInfer", request_)
    assert (found, sentence in detail) == (code, True), detail


def test_contents_of_another_type_are_named(shop: Shop) -> None:
    release(shop, iris_candidate())
    request = message("ModelInferRequest")(model_name="iris")
    request.inputs.add(name="rows", datatype="FP64", shape=[1, 4]).contents.fp32_contents.extend([1, 2, 3, 4])
    code, detail = refused(shop, "ModelInfer", request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "fp32_contents" in detail
    assert "wanted fp64_contents" in detail


def test_keys_are_asked_for_as_over_http(shop: Shop) -> None:
    release(shop, iris_candidate())
    with shop.workspace.writing(OPERATOR) as uow:
        secret = keys.create(uow, "grpc", Role.VIEWER).secret

    async def calls(ask: Ask) -> tuple[grpc.StatusCode, list[int]]:
        with pytest.raises(grpc.aio.AioRpcError) as found:
            await ask("ModelInfer", infer(ROWS))
        said = await ask("ModelInfer", infer(ROWS), authorization=f"Bearer {secret}")
        return found.value.code(), list(said.outputs[0].contents.int64_contents)

    assert asked(shop, calls, on_loopback=False) == (grpc.StatusCode.UNAUTHENTICATED, [0, 2])


def test_a_port_that_is_taken_is_told_in_a_sentence(settings: CoreSettings) -> None:
    async def nothing(scope: Any, receive: Any, send: Any) -> None: ...

    async def run() -> None:
        first = server_of(nothing, host="127.0.0.1", limit_bytes=1000)
        port = first.add_insecure_port("127.0.0.1:0")
        await first.start()
        try:
            async with over_grpc(nothing, settings, port):
                raise AssertionError("two servers on one port")
        finally:
            await first.stop(None)

    with pytest.raises(GrpcPortInUse, match="choose another"):
        asyncio.run(run())
