"""From descriptors back to a syntax tree: for schemas sent serialised, and for the normal form."""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message as Protobuf

from registry.formats.contract import SchemaInvalidError
from registry.formats.protobuf.strings import decode, quote
from registry.formats.protobuf.syntax import (
    MAX_ENUM,
    MAX_TAG,
    Constant,
    Enum,
    Extend,
    Extensions,
    Field,
    File,
    Literal,
    Message,
    Oneof,
    Option,
    Range,
    Reserved,
    Rpc,
    Service,
    Value,
    default_last,
)

SCALARS = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}
_LABELS = {
    FieldDescriptorProto.LABEL_OPTIONAL: "optional",
    FieldDescriptorProto.LABEL_REQUIRED: "required",
    FieldDescriptorProto.LABEL_REPEATED: "repeated",
}


class Reader:
    """Reads descriptors; a pool, asked for when needed, knows the extensions in their options."""

    def __init__(self, pool: Callable[[], DescriptorPool]) -> None:
        self._pool = pool
        self._syntax = "proto2"

    def file(self, proto: FileDescriptorProto) -> File:
        """The whole file: messages in their order, then enums."""
        self._syntax = proto.syntax or "proto2"
        public = set(proto.public_dependency)
        names = list(enumerate(proto.dependency))
        groups = _groups(proto.extension, proto.message_type)
        return File(
            syntax="" if self._syntax == "editions" else self._syntax,
            edition=_edition(proto) if self._syntax == "editions" else "",
            package=proto.package,
            imports=[name for index, name in names if index not in public],
            public_imports=[name for index, name in names if index in public],
            option_imports=list(proto.option_dependency),
            options=self._options(proto.options) if proto.HasField("options") else [],
            types=[
                *(
                    self._message(message)
                    for message in proto.message_type
                    if message.name not in groups
                ),
                *(self._enum(enum) for enum in proto.enum_type),
            ],
            extends=self._extends(proto.extension, proto.message_type),
            services=[self._service(service) for service in proto.service],
        )

    def _message(self, proto: DescriptorProto) -> Message:
        maps = {nested.name: nested for nested in proto.nested_type if nested.options.map_entry}
        groups = _groups([*proto.field, *proto.extension], proto.nested_type)
        oneofs = [
            Oneof(oneof.name, options=self._options(oneof.options)) for oneof in proto.oneof_decl
        ]
        fields: list[Field] = []
        for field in proto.field:
            into = fields
            if field.HasField("oneof_index") and not field.proto3_optional:
                into = oneofs[field.oneof_index].fields
            into.append(self._field(field, maps, groups, in_oneof=into is not fields))
        return Message(
            proto.name,
            fields=fields,
            oneofs=[oneof for oneof in oneofs if oneof.fields],
            reserved=_reserved(
                [_range(span.start, span.end - 1, MAX_TAG) for span in proto.reserved_range],
                list(proto.reserved_name),
                bare=self._syntax == "editions",
            ),
            extensions=[
                Extensions([_range(span.start, span.end - 1, MAX_TAG)], self._options(span.options))
                for span in proto.extension_range
            ],
            extends=self._extends(proto.extension, proto.nested_type),
            types=[
                *(
                    self._message(nested)
                    for nested in proto.nested_type
                    if nested.name not in maps and nested.name not in groups
                ),
                *(self._enum(enum) for enum in proto.enum_type),
            ],
            options=self._options(proto.options),
            visibility=_VISIBILITIES[proto.visibility],
        )

    def _field(
        self,
        proto: FieldDescriptorProto,
        maps: dict[str, DescriptorProto],
        groups: dict[str, DescriptorProto],
        in_oneof: bool = False,
    ) -> Field:
        last = proto.type_name.rpartition(".")[2]
        field = Field(
            label="" if in_oneof else self._label(proto),
            type=proto.type_name or SCALARS[proto.type],
            name=proto.name,
            tag=proto.number,
            options=self._field_options(proto),
        )
        repeated = proto.label == FieldDescriptorProto.LABEL_REPEATED
        if proto.type == FieldDescriptorProto.TYPE_GROUP and last in groups:
            field.type, field.name = "group", last
            field.group = self._message(groups[last])
        elif repeated and proto.type == FieldDescriptorProto.TYPE_MESSAGE and last in maps:
            key, value = maps[last].field
            field.type = f"map<{SCALARS[key.type]}, {value.type_name or SCALARS[value.type]}>"
            field.label = ""
        return field

    def _label(self, proto: FieldDescriptorProto) -> str:
        optional = proto.label == FieldDescriptorProto.LABEL_OPTIONAL
        if optional and self._syntax != "proto2" and not proto.proto3_optional:
            return ""
        return _LABELS[proto.label]

    def _field_options(self, proto: FieldDescriptorProto) -> list[Option]:
        options = []
        if proto.HasField("default_value"):
            options.append(Option("default", _default(proto)))
        if proto.json_name and proto.json_name != json_name(proto.name):
            options.append(Option("json_name", quote(proto.json_name)))
        return default_last(options + self._options(proto.options))

    def _extends(
        self, extensions: Iterable[FieldDescriptorProto], nested: Iterable[DescriptorProto]
    ) -> list[Extend]:
        extends: dict[str, Extend] = {}
        groups = _groups(list(extensions), nested)
        for proto in extensions:
            extend = extends.setdefault(proto.extendee, Extend(proto.extendee))
            extend.fields.append(self._field(proto, {}, groups))
        return list(extends.values())

    def _enum(self, proto: EnumDescriptorProto) -> Enum:
        return Enum(
            proto.name,
            values=[
                Value(value.name, value.number, self._options(value.options))
                for value in proto.value
            ],
            reserved=_reserved(
                [_range(span.start, span.end, MAX_ENUM) for span in proto.reserved_range],
                list(proto.reserved_name),
                bare=self._syntax == "editions",
            ),
            options=self._options(proto.options),
            visibility=_VISIBILITIES[proto.visibility],
        )

    def _service(self, proto: ServiceDescriptorProto) -> Service:
        return Service(
            proto.name,
            rpcs=[
                Rpc(
                    method.name,
                    method.input_type,
                    method.output_type,
                    method.client_streaming,
                    method.server_streaming,
                    self._options(method.options),
                )
                for method in proto.method
            ],
            options=self._options(proto.options),
        )

    def _options(self, options: Protobuf) -> list[Option]:
        """All options that are set, those of extensions in parentheses."""
        if not options.ByteSize():
            return []
        known = self._known(options)
        found: list[Option] = []
        for descriptor, value in known.ListFields():
            if descriptor.name in {"map_entry", "uninterpreted_option"}:
                continue
            extension = descriptor.is_extension
            # without the dot a package of that name nearer by would be meant
            name = f"(.{descriptor.full_name})" if extension else descriptor.name
            values = value if descriptor.is_repeated else [value]
            found += [Option(name, _constant(descriptor, item)) for item in values]
        return found

    def _known(self, options: Protobuf) -> Protobuf:
        """The options as the pool's own message, which has the extensions as fields."""
        try:
            descriptor = self._pool().FindMessageTypeByName(options.DESCRIPTOR.full_name)
        except (KeyError, SchemaInvalidError):
            return options
        return message_factory.GetMessageClass(descriptor).FromString(options.SerializeToString())


def json_name(name: str) -> str:
    """protoc's default: underscores dropped, the letter after each in capitals."""
    first, *others = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in others)


def _edition(proto: FileDescriptorProto) -> str:
    return (
        str(proto.edition) if proto.edition >= 1_000_000 else _EDITIONS.get(proto.edition, "2023")
    )


_VISIBILITIES = ("", "local", "export")
_EDITIONS = {1000: "2023", 1001: "2024", 1002: "2026"}


def _groups(
    fields: Sequence[FieldDescriptorProto], nested: Iterable[DescriptorProto]
) -> dict[str, DescriptorProto]:
    """The nested messages that are the bodies of groups."""
    names = {
        field.type_name.rpartition(".")[2]
        for field in fields
        if field.type == FieldDescriptorProto.TYPE_GROUP
    }
    return {message.name: message for message in nested if message.name in names}


def _range(first: int, last: int, maximum: int) -> Range:
    return first, None if last >= maximum else last


def _reserved(ranges: list[Range], names: list[str], bare: bool) -> list[Reserved]:
    found = [Reserved(ranges=ranges)] if ranges else []
    return [*found, Reserved(names=names, bare=bare)] if names else found


def _default(proto: FieldDescriptorProto) -> str:
    if proto.type == FieldDescriptorProto.TYPE_STRING:
        return quote(proto.default_value)
    if proto.type == FieldDescriptorProto.TYPE_BYTES:
        return quote(decode(proto.default_value))
    return proto.default_value


def _constant(descriptor: FieldDescriptor, value: Any) -> Constant:
    match descriptor.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return quote(value)
        case FieldDescriptor.CPPTYPE_BOOL:
            return "true" if value else "false"
        case FieldDescriptor.CPPTYPE_ENUM:
            enum = descriptor.enum_type
            named = enum.values_by_number.get(value) if enum is not None else None
            return named.name if named else str(value)
        case FieldDescriptor.CPPTYPE_MESSAGE:
            return _literal(value)
        case FieldDescriptor.CPPTYPE_FLOAT:
            return _shortest(value)
        case _:
            return repr(value)


def _shortest(value: float) -> str:
    """The fewest digits that read as this number in 32 bits."""
    texts = (f"{value:.{digits}g}" for digits in range(6, 10))
    return next(
        (text for text in texts if struct.pack("f", float(text)) == struct.pack("f", value)),
        f"{value:.9g}",
    )


def _literal(message: Protobuf) -> Literal:
    entries: list[tuple[str, Constant]] = []
    for descriptor, value in message.ListFields():
        name = f"[{descriptor.full_name}]" if descriptor.is_extension else descriptor.name
        if not descriptor.is_repeated:
            entries.append((name, _constant(descriptor, value)))
        elif descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry:
            entries.append((name, _map(descriptor, value)))
        else:
            entries.append((name, tuple(_constant(descriptor, item) for item in value)))
    return Literal(tuple(entries))


def _map(descriptor: FieldDescriptor, value: Any) -> tuple[Constant, ...]:
    entry = descriptor.message_type
    if entry is None:
        return ()
    key_type, value_type = entry.fields
    return tuple(
        Literal((
            ("key", _constant(key_type, key)),
            ("value", _constant(value_type, value[key])),
        ))
        for key in sorted(value)
    )
