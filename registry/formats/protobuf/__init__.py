"""Protobuf as a registry format: compiled by protoc, stored as canonical .proto text."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from registry.formats.contract import Dependency, Difference, Field, FormatName, Parsed, Policy
from registry.formats.protobuf.compare import compare
from registry.formats.protobuf.decode import decoder
from registry.formats.protobuf.model import Model, build
from registry.formats.protobuf.normal import normalise
from registry.formats.protobuf.outline import outline
from registry.formats.protobuf.render import render


class ProtobufFormat:
    """The contract's Format for Protobuf: proto2, proto3 and editions."""

    name: FormatName = "PROTOBUF"

    def parse(self, text: str, dependencies: Sequence[Dependency] = ()) -> Parsed:
        """Compile .proto text or a base64 FileDescriptorProto; SchemaInvalidError otherwise."""
        model = build(text, dependencies)
        return Parsed(
            format=self.name,
            text=render(model.file),
            normal=normalise(model),
            dependencies=tuple(dependencies),
            model=model,
        )

    def compare(
        self, original: Parsed, update: Parsed, policy: Policy = "STRICT"
    ) -> list[Difference]:
        """All changes; the policies do not differ for Protobuf."""
        del policy
        return compare(_model(original), _model(update))

    def fields(self, parsed: Parsed) -> list[Field]:
        """The fields of all messages, in declared order, with comments and Confluent's tags."""
        return outline(_model(parsed))

    def decoder(self, parsed: Parsed) -> Callable[[bytes], Any]:
        """From a payload that begins with its message indexes to plain values."""
        return decoder(_model(parsed))


def serialized(parsed: Parsed) -> str:
    """The compiled FileDescriptorProto in base64: what `format=serialized` asks for."""
    return base64.b64encode(_model(parsed).root.SerializeToString(deterministic=True)).decode()


def _model(parsed: Parsed) -> Model:
    model = parsed.model
    if not isinstance(model, Model):
        raise TypeError(f"not a Protobuf schema: {parsed.format}")
    return model


FORMAT = ProtobufFormat()
