"""The canonical text of a .proto file, as the registry stores it: two spaces, fixed sections.

Comments are no part of it: one schema has one id, however it is commented, as at Confluent's.
"""

from collections.abc import Iterable, Sequence

from registry.formats.protobuf.strings import quote
from registry.formats.protobuf.syntax import (
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
)


def render(file: File) -> str:
    """Syntax, package, imports, options, types in declared order, extends, services."""
    sections: list[list[str]] = [
        _heading(file),
        [
            *(f"import {quote(name)};" for name in file.imports),
            *(f"import public {quote(name)};" for name in file.public_imports),
            *(f"import option {quote(name)};" for name in file.option_imports),
        ],
        _statements(file.options),
        [line for declared in file.types for line in _type(declared)],
        [line for extend in file.extends for line in _extend(extend)],
        [line for service in file.services for line in _service(service)],
    ]
    return "\n".join("".join(f"{line}\n" for line in lines) for lines in sections if lines)


def _heading(file: File) -> list[str]:
    lines = []
    if file.edition:
        lines.append(f'edition = "{file.edition}";')
    elif file.syntax:
        lines.append(f'syntax = "{file.syntax}";')
    if file.package:
        lines.append(f"package {file.package};")
    return lines


def _block(head: str, sections: Iterable[Sequence[str]]) -> list[str]:
    """The sections that have lines, indented and a blank line apart, within braces."""
    lines = [f"{head} {{"]
    for section in sections:
        if section:
            lines += [""] * (len(lines) > 1)
            lines += _indented(section)
    return [*lines, "}"] if len(lines) > 1 else [f"{head} {{}}"]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]


def _statements(options: Iterable[Option]) -> list[str]:
    return [
        line
        for option in options
        for line in _terminated(_assigned(f"option {option.name} = ", option.value))
    ]


def _terminated(lines: list[str], end: str = ";") -> list[str]:
    return [*lines[:-1], lines[-1] + end]


def _assigned(start: str, value: Constant) -> list[str]:
    """A value in one line, or spread over several when it is a list or a message."""
    if isinstance(value, str):
        return [start + value]
    if isinstance(value, Literal):
        inner = [_assigned(f"{name}: ", item) for name, item in value.entries]
        opening, closing = "{", "}"
    else:
        inner = [_assigned("", item) for item in value]
        opening, closing = "[", "]"
    if not inner:
        return [f"{start}{opening}{closing}"]
    lines = [line for item in inner[:-1] for line in _terminated(item, ",")] + inner[-1]
    return [start + opening, *_indented(lines), closing]


def _bracketed(start: str, options: Sequence[Option]) -> list[str]:
    """A declaration with its options in brackets: one stays in line, more get lines."""
    if not options:
        return [f"{start};"]
    inner = [_assigned(f"{option.name} = ", option.value) for option in options]
    if len(inner) == 1:
        lines = _assigned(f"{start} [{options[0].name} = ", options[0].value)
        return _terminated(lines, "];")
    lines = [line for item in inner[:-1] for line in _terminated(item, ",")] + inner[-1]
    return [f"{start} [", *_indented(lines), "];"]


def _type(declared: Message | Enum) -> list[str]:
    return _message(declared) if isinstance(declared, Message) else _enum(declared)


def _message(message: Message) -> list[str]:
    prefix = f"{message.visibility} " if message.visibility else ""
    head = f"{prefix}message {message.name}"
    return _block(head, _body(message))


def _body(message: Message) -> list[list[str]]:
    fields, groups = _fields(message.fields)
    return [
        [_reserved(reserved) for reserved in message.reserved],
        _statements(message.options),
        fields,
        [line for oneof in message.oneofs for line in _oneof(oneof)],
        groups,
        [line for extensions in message.extensions for line in _extensions(extensions)],
        [line for extend in message.extends for line in _extend(extend)],
        [line for declared in message.types for line in _type(declared)],
    ]


def _fields(fields: Sequence[Field]) -> tuple[list[str], list[str]]:
    """Plain fields and groups, apart."""
    plain = [field for field in fields if field.group is None]
    groups = [field for field in fields if field.group is not None]
    return (
        [line for field in plain for line in _field(field)],
        [line for group in groups for line in _field(group)],
    )


def _field(field: Field) -> list[str]:
    label = f"{field.label} " if field.label else ""
    start = f"{label}{field.type} {field.name} = {field.tag}"
    if field.group is None:
        return _bracketed(start, field.options)
    *options, last = _bracketed(start, field.options)
    return [*options, *_block(last.removesuffix(";"), _body(field.group))]


def _oneof(oneof: Oneof) -> list[str]:
    return _block(f"oneof {oneof.name}", [_statements(oneof.options), *_fields(oneof.fields)])


def _span(span: Range) -> str:
    first, last = span
    if first == last:
        return str(first)
    return f"{first} to {'max' if last is None else last}"


def _reserved(reserved: Reserved) -> str:
    names = reserved.names if reserved.bare else [f'"{name}"' for name in reserved.names]
    return f"reserved {', '.join([*map(_span, reserved.ranges), *names])};"


def _extensions(extensions: Extensions) -> list[str]:
    spans = ", ".join(map(_span, extensions.ranges))
    return _bracketed(f"extensions {spans}", extensions.options)


def _extend(extend: Extend) -> list[str]:
    fields = [line for field in extend.fields for line in _field(field)]
    return _block(f"extend {extend.name}", [fields])


def _enum(enum: Enum) -> list[str]:
    prefix = f"{enum.visibility} " if enum.visibility else ""
    lines = [
        *(_reserved(reserved) for reserved in enum.reserved),
        *_statements(enum.options),
        *(line for value in enum.values for line in _value(value)),
    ]
    return _block(f"{prefix}enum {enum.name}", [lines])


def _value(value: Value) -> list[str]:
    return _bracketed(f"{value.name} = {value.tag}", value.options)


def _service(service: Service) -> list[str]:
    rpcs = [line for rpc in service.rpcs for line in _rpc(rpc)]
    sections = [_statements(service.options), rpcs]
    return _block(f"service {service.name}", sections)


def _rpc(rpc: Rpc) -> list[str]:
    request = f"stream {rpc.request}" if rpc.request_streaming else rpc.request
    response = f"stream {rpc.response}" if rpc.response_streaming else rpc.response
    head = f"rpc {rpc.name} ({request}) returns ({response})"
    if not rpc.options:
        return [f"{head};"]
    return _terminated(_block(head, [_statements(rpc.options)]))
