"""The normal form: what order-free means nothing is sorted, comments and spellings are gone."""

from registry.formats.protobuf.descriptors import Reader
from registry.formats.protobuf.model import Model
from registry.formats.protobuf.render import render
from registry.formats.protobuf.syntax import (
    Enum,
    Field,
    File,
    Message,
    Option,
    Reserved,
    Service,
    default_last,
)


def normalise(model: Model) -> str:
    """Canonical text from the descriptor: full names, imports, options and fields sorted.

    Messages and enum constants keep their order: message indexes and defaults depend on it.
    """
    file = Reader(lambda: model.pool).file(model.root)
    file.imports.sort()
    file.public_imports.sort()
    file.option_imports.sort()
    _sort_options(file.options)
    _sort_types(file.types)
    _sort_extends(file)
    for service in file.services:
        _sort_service(service)
    return render(file)


def _sort_types(types: list[Message | Enum]) -> None:
    for declared in types:
        if isinstance(declared, Message):
            _sort_message(declared)
        else:
            _sort_enum(declared)


def _sort_message(message: Message) -> None:
    _sort_options(message.options)
    _sort_fields(message.fields)
    _sort_reserved(message.reserved)
    for oneof in message.oneofs:
        _sort_options(oneof.options)
        _sort_fields(oneof.fields)
    message.oneofs.sort(key=lambda oneof: oneof.fields[0].tag)
    message.extensions.sort(key=lambda extensions: extensions.ranges[0][0])
    for extensions in message.extensions:
        _sort_options(extensions.options)
    _sort_extends(message)
    _sort_types(message.types)


def _sort_enum(enum: Enum) -> None:
    _sort_options(enum.options)
    _sort_reserved(enum.reserved)
    for value in enum.values:
        _sort_options(value.options)


def _sort_service(service: Service) -> None:
    _sort_options(service.options)
    for rpc in service.rpcs:
        _sort_options(rpc.options)


def _sort_extends(owner: Message | File) -> None:
    owner.extends.sort(key=lambda extend: extend.name)
    for extend in owner.extends:
        _sort_fields(extend.fields)


def _sort_fields(fields: list[Field]) -> None:
    fields.sort(key=lambda field: field.tag)
    for field in fields:
        _sort_options(field.options)
        if field.group is not None:
            _sort_message(field.group)


def _sort_reserved(reserved: list[Reserved]) -> None:
    for statement in reserved:
        statement.ranges.sort(key=lambda span: span[0])
        statement.names.sort()


def _sort_options(options: list[Option]) -> None:
    options.sort(key=lambda option: option.name)
    options[:] = default_last(options)
