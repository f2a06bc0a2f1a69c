"""The fields of a Protobuf schema as a page lists them."""

from collections.abc import Iterable, Iterator
from itertools import islice

from registry.formats.contract import Field
from registry.formats.protobuf.model import Model
from registry.formats.protobuf.strings import decode
from registry.formats.protobuf.syntax import (
    Constant,
    Literal,
    Message,
    Option,
)
from registry.formats.protobuf.syntax import Field as Declared

MAX_FIELDS = 5_000
_META = "(confluent.field_meta)"


def outline(model: Model) -> list[Field]:
    """The first message's fields by name, other messages' with the message's name in front."""
    messages = [declared for declared in model.file.types if isinstance(declared, Message)]
    found = (
        field
        for index, message in enumerate(messages)
        for field in _message(message, "" if index == 0 else f"{message.name}.")
    )
    return list(islice(found, MAX_FIELDS))


def _message(message: Message, prefix: str) -> Iterator[Field]:
    """Fields in declared order, oneof members after them, nested messages' fields last."""
    for field in message.fields:
        yield _field(field, prefix)
        if field.group is not None:
            yield from _message(field.group, f"{prefix}{field.name}.")
    for oneof in message.oneofs:
        for field in oneof.fields:
            yield _field(field, prefix, oneof.name)
    for nested in message.types:
        if isinstance(nested, Message):
            yield from _message(nested, f"{prefix}{nested.name}.")


def _field(field: Declared, prefix: str, oneof: str = "") -> Field:
    repeated = "repeated " if field.label == "repeated" else ""
    default = next((option.value for option in field.options if option.name == "default"), None)
    return Field(
        path=f"{prefix}{field.name}",
        type=f"{repeated}{field.type}" + (f" (oneof {oneof})" if oneof else ""),
        doc=field.doc or "\n".join(_meta(field.options, "doc")),
        default=default if isinstance(default, str) else None,
        required=field.label == "required",
        tags=tuple(dict.fromkeys(_meta(field.options, "tags"))),
        detail=f"number {field.tag}",
    )


def _meta(options: Iterable[Option], part: str) -> Iterator[str]:
    """The texts of a part of Confluent's option, given whole or by its path."""
    for option in options:
        name = option.name.replace("(.", "(")
        if name == f"{_META}.{part}":
            yield from _strings(option.value)
        elif name == _META and isinstance(option.value, Literal):
            parts = (value for key, value in option.value.entries if key == part)
            yield from _strings(tuple(parts))


def _strings(value: Constant) -> Iterator[str]:
    if isinstance(value, str):
        yield decode(value[1:-1]).decode("utf-8", "replace")
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)
