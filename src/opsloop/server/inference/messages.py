"""The protocol's messages, made from a table of their fields: nothing generated has to fit the installed protobuf.

Source: https://github.com/kserve/open-inference-protocol, specification/protocol/open_inference_grpc.proto
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"
_Kind = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Kind.TYPE_BOOL,
    "bytes": _Kind.TYPE_BYTES,
    "double": _Kind.TYPE_DOUBLE,
    "float": _Kind.TYPE_FLOAT,
    "int32": _Kind.TYPE_INT32,
    "int64": _Kind.TYPE_INT64,
    "string": _Kind.TYPE_STRING,
    "uint32": _Kind.TYPE_UINT32,
    "uint64": _Kind.TYPE_UINT64,
}
_PARAMETERS = "map InferParameter parameters"
_NAMED = {1: "string name", 2: "string version"}
_FIELDS: Mapping[str, Mapping[int, str]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {1: "bool live"},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {1: "bool ready"},
    "ModelReadyRequest": _NAMED,
    "ModelReadyResponse": {1: "bool ready"},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {**_NAMED, 3: "repeated string extensions"},
    "ModelMetadataRequest": _NAMED,
    "ModelMetadataResponse.TensorMetadata": {1: "string name", 2: "string datatype", 3: "repeated int64 shape"},
    "ModelMetadataResponse": {
        1: "string name",
        2: "repeated string versions",
        3: "string platform",
        4: "repeated ModelMetadataResponse.TensorMetadata inputs",
        5: "repeated ModelMetadataResponse.TensorMetadata outputs",
    },
    "InferParameter": {
        1: "oneof bool bool_param",
        2: "oneof int64 int64_param",
        3: "oneof string string_param",
        4: "oneof double double_param",
        5: "oneof uint64 uint64_param",
    },
    "InferTensorContents": {
        1: "repeated bool bool_contents",
        2: "repeated int32 int_contents",
        3: "repeated int64 int64_contents",
        4: "repeated uint32 uint_contents",
        5: "repeated uint64 uint64_contents",
        6: "repeated float fp32_contents",
        7: "repeated double fp64_contents",
        8: "repeated bytes bytes_contents",
    },
    "ModelInferRequest.InferInputTensor": {
        1: "string name",
        2: "string datatype",
        3: "repeated int64 shape",
        4: _PARAMETERS,
        5: "InferTensorContents contents",
    },
    "ModelInferRequest.InferRequestedOutputTensor": {1: "string name", 2: _PARAMETERS},
    "ModelInferRequest": {
        1: "string model_name",
        2: "string model_version",
        3: "string id",
        4: _PARAMETERS,
        5: "repeated ModelInferRequest.InferInputTensor inputs",
        6: "repeated ModelInferRequest.InferRequestedOutputTensor outputs",
        7: "repeated bytes raw_input_contents",
    },
    "ModelInferResponse.InferOutputTensor": {
        1: "string name",
        2: "string datatype",
        3: "repeated int64 shape",
        4: _PARAMETERS,
        5: "InferTensorContents contents",
    },
    "ModelInferResponse": {
        1: "string model_name",
        2: "string model_version",
        3: "string id",
        4: _PARAMETERS,
        5: "repeated ModelInferResponse.InferOutputTensor outputs",
        6: "repeated bytes raw_output_contents",
    },
}


def _file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="open_inference_grpc.proto", package=PACKAGE, syntax="proto3")
    made: dict[str, Any] = {}
    for name in sorted(_FIELDS, key=lambda each: each.count(".")):  # what holds others comes before them
        outer, _, inner = name.rpartition(".")
        made[name] = made[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=name)
    for name, fields in _FIELDS.items():
        for number, text in fields.items():
            _add(made[name], name, number, text)
    return file


def _add(message: Any, owner: str, number: int, text: str) -> None:
    *modifiers, type, name = text.split()
    field = message.field.add(name=name, number=number, label=_Kind.LABEL_OPTIONAL)
    if modifiers:
        if modifiers == ["oneof"]:
            if not message.oneof_decl:
                message.oneof_decl.add(name="parameter_choice")
            field.oneof_index = 0
        else:
            field.label = _Kind.LABEL_REPEATED
    if modifiers == ["map"]:
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add(entry, owner, 1, "string key")
        _add(entry, owner, 2, f"{type} value")
        type = f"{owner}.{entry.name}"
    if type in _SCALARS:
        field.type = _SCALARS[type]
    else:
        field.type, field.type_name = _Kind.TYPE_MESSAGE, f".{PACKAGE}.{type}"


# A pool of its own: another library in this process may know messages by the same names.
_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())
_classes = {name: message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in _FIELDS}


def message(name: str) -> Any:
    """The class of a message, such as `ModelInferRequest`."""
    return _classes[name]
