"""From the bytes of a message to plain values.

The payload begins with its message indexes, as Confluent's serializers write them after the
schema id (`registry.wire`); where they came in a header, put that trailer in front.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from registry.formats.protobuf.model import ROOT, Model
from registry.wire import read_message_path

_Convert: TypeAlias = Callable[[Any], Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decoder(model: Model) -> Callable[[bytes], dict[str, Any]]:
    """A function of payloads written with this schema; ValueError when one is not such."""
    root = model.pool.FindFileByName(ROOT)
    top = list(root.message_types_by_name.values())
    known: dict[tuple[int, ...], tuple[type[Message], _Convert]] = {}

    def decode(payload: bytes) -> dict[str, Any]:
        indexes, body = read_message_path(payload)
        if indexes not in known:
            descriptor = _find(top, indexes)
            known[indexes] = (
                message_factory.GetMessageClass(descriptor),
                _Plain().message(descriptor),
            )
        kind, convert = known[indexes]
        try:
            message = kind.FromString(body)
        except DecodeError as error:
            raise ValueError(f"not a {kind.DESCRIPTOR.full_name}: {error}") from error
        plain: dict[str, Any] = convert(message)
        return plain

    return decode


def _find(messages: list[Descriptor], indexes: tuple[int, ...]) -> Descriptor:
    found: Descriptor | None = None
    for index in indexes:
        if not 0 <= index < len(messages):
            raise ValueError(f"the schema has no message at index {index} of {indexes}")
        found = messages[index]
        messages = list(found.nested_types)
    if found is None:
        raise ValueError("no message indexes")
    return found


class _Plain:
    """Builds one conversion per message type; recursive types refer to themselves."""

    def __init__(self) -> None:
        self._converters: dict[str, _Convert] = {}

    def message(self, descriptor: Descriptor) -> _Convert:
        """The conversion of a message to a dict of field names, well-known types to values."""
        name = descriptor.full_name
        if name in _WELL_KNOWN:
            return _WELL_KNOWN[name]
        if name.startswith("google.protobuf.") and name in _AS_JSON:
            return json_format.MessageToDict
        if name not in self._converters:
            fields: list[tuple[str, bool, _Convert]] = []

            def convert(message: Any) -> dict[str, Any]:
                return {
                    field: None
                    if presence and not message.HasField(field)
                    else convert_field(getattr(message, field))
                    for field, presence, convert_field in fields
                }

            self._converters[name] = convert
            fields += [(f.name, f.has_presence, self._field(f)) for f in descriptor.fields]
        return self._converters[name]

    def _field(self, field: FieldDescriptor) -> _Convert:
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            value = self._value(inner.fields_by_name["value"])
            return lambda entries: {key: value(entries[key]) for key in entries}
        convert = self._value(field)
        if field.is_repeated:
            return lambda items: [convert(item) for item in items]
        return convert

    def _value(self, field: FieldDescriptor) -> _Convert:
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return _names(field.enum_type)
        return _same


def _same(value: Any) -> Any:
    return value


def _names(enum: EnumDescriptor) -> _Convert:
    names: Mapping[int, str] = {value.number: value.name for value in reversed(enum.values)}
    return lambda number: names.get(number, number)


def _timestamp(message: Any) -> datetime:
    return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1_000)


def _duration(message: Any) -> timedelta:
    return timedelta(seconds=message.seconds, microseconds=message.nanos / 1_000)


def _decimal(message: Any) -> Decimal:
    return Decimal(int.from_bytes(message.value, "big", signed=True)).scaleb(-message.scale)


def _wrapped(message: Any) -> Any:
    return message.value


_WELL_KNOWN: Mapping[str, _Convert] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "confluent.type.Decimal": _decimal,
    **{
        f"google.protobuf.{kind}Value": _wrapped
        for kind in (
            "Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes",
        )
    },
}  # fmt: skip
_AS_JSON = frozenset(
    f"google.protobuf.{kind}" for kind in ("Struct", "Value", "ListValue", "FieldMask")
)
