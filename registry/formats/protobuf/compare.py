"""Comparison of two compiled schemas: can the update read what the original wrote?"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from registry.formats.contract import Difference
from registry.formats.protobuf.compiler import builtin_names
from registry.formats.protobuf.descriptions import describe
from registry.formats.protobuf.features import resolve
from registry.formats.protobuf.model import Model
from registry.formats.protobuf.oneofs import compare_oneofs
from registry.formats.protobuf.reserved import compare_reserved
from registry.formats.protobuf.scalars import LENGTH_DELIMITED, group_of

INCOMPATIBLE = frozenset({
    "PACKAGE_CHANGED", "MESSAGE_REMOVED", "FIELD_KIND_CHANGED", "FIELD_SCALAR_KIND_CHANGED",
    "FIELD_NAMED_TYPE_CHANGED", "FIELD_NUMERIC_LABEL_CHANGED", "REQUIRED_FIELD_ADDED",
    "REQUIRED_FIELD_REMOVED", "ONEOF_FIELD_REMOVED", "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
    "FIELD_MOVED_TO_EXISTING_ONEOF", "RESERVED_RANGE_REMOVED", "RESERVED_RANGE_REUSED",
})  # fmt: skip
# Taking a number out of use is no loss to anyone, though it is one when seen backwards.
HISTORICAL = frozenset({"RESERVED_RANGE_REMOVED", "RESERVED_RANGE_REUSED"})

_Field: TypeAlias = FieldDescriptorProto
_Named: TypeAlias = Mapping[str, tuple[int, DescriptorProto]]


def compare(original: Model, update: Model) -> list[Difference]:
    """All changes between two schemas, in the order of the update's declarations."""
    comparison = _Comparison(_Side(original), _Side(update))
    found = dict.fromkeys(comparison.run())
    return [
        Difference(
            kind,
            path,
            describe(kind, path),
            compatible=kind not in INCOMPATIBLE,
            historical=kind in HISTORICAL,
        )
        for kind, path in found
    ]


class _Side:
    """One of the two schemas, its messages by full name with the file each comes from."""

    def __init__(self, model: Model) -> None:
        self.root = resolve(model.root)
        self.messages: dict[str, tuple[DescriptorProto, FileDescriptorProto]] = {}
        for file in [*map(resolve, model.files.values()), self.root]:
            scope = f".{file.package}" if file.package else ""
            for message in file.message_type:
                self._enter(f"{scope}.{message.name}", message, file)

    def _enter(self, name: str, message: DescriptorProto, file: FileDescriptorProto) -> None:
        self.messages[name] = (message, file)
        for nested in message.nested_type:
            self._enter(f"{name}.{nested.name}", nested, file)

    def message(self, field: _Field) -> DescriptorProto | None:
        """The message that a field refers to, if it refers to one."""
        known = self.messages.get(field.type_name)
        return known[0] if known else None

    def bare_name(self, field: _Field) -> str:
        """The name of a field's type without the package of its file."""
        known = self.messages.get(field.type_name)
        package = f".{known[1].package}." if known and known[1].package else "."
        return field.type_name.removeprefix(package)

    def file(self, field: _Field) -> str | None:
        """The file of a field's message: None for the schema itself, else the import's name."""
        known = self.messages.get(field.type_name)
        return None if known is None or known[1] is self.root else known[1].name


@dataclass(frozen=True, slots=True)
class _Task:
    """Two messages still to be compared, and where."""

    original: DescriptorProto
    update: DescriptorProto
    path: str


_Change: TypeAlias = tuple[str, str]


class _Comparison:
    """Walks both schemas with a list of messages still to do; each referred pair is done once."""

    def __init__(self, original: _Side, update: _Side) -> None:
        self._original = original
        self._update = update
        self._pending: list[_Task] = []
        self._referred: set[tuple[str, str]] = set()

    def run(self) -> Iterator[_Change]:
        """All changes, top down."""
        old, new = self._original.root, self._update.root
        if old.package != new.package:
            yield "PACKAGE_CHANGED", "#/"
        before = _named(old.message_type, _bodies(old.extension, old.message_type))
        after = _named(new.message_type, _bodies(new.extension, new.message_type))
        yield from self._messages(before, after, "#")
        yield from _enums(old.enum_type, new.enum_type, "#")
        while self._pending:
            yield from self._message(self._pending.pop(0))

    def _messages(self, before: _Named, after: _Named, path: str) -> Iterator[_Change]:
        for name, (index, message) in before.items():
            if name not in after:
                yield "MESSAGE_REMOVED", f"{path}/{name}"
            elif after[name][0] != index:
                yield "MESSAGE_MOVED", f"{path}/{name}"
            if name in after:
                self._pending.append(_Task(message, after[name][1], f"{path}/{name}"))
        for name in after:
            if name not in before:
                yield "MESSAGE_ADDED", f"{path}/{name}"

    def _message(self, task: _Task) -> Iterator[_Change]:
        old, new, path = task.original, task.update, task.path
        groups_old = _bodies([*old.field, *old.extension], old.nested_type)
        groups_new = _bodies([*new.field, *new.extension], new.nested_type)
        before, after = _named(old.nested_type, groups_old), _named(new.nested_type, groups_new)
        yield from self._messages(before, after, path)
        # bodies of groups come and go with their fields; where both are, they are compared
        for name, body in groups_old.items():
            if name in groups_new:
                self._pending.append(_Task(body, groups_new[name], f"{path}/{name}"))
        yield from _enums(old.enum_type, new.enum_type, path)
        yield from compare_reserved(old, new, path)
        yield from compare_oneofs(old, new, path)
        kept = {field.number: field for field in new.field}
        for field in old.field:
            if field.number in kept:
                yield from self._field(field, kept[field.number], f"{path}/{field.number}")

    def _field(self, old: _Field, new: _Field, path: str) -> Iterator[_Change]:
        if old.name != new.name:
            yield "FIELD_NAME_CHANGED", path
        if _required(new) and not _required(old):
            yield "REQUIRED_FIELD_ADDED", path
        kind_old, kind_new = self._kind(self._original, old), self._kind(self._update, new)
        if kind_old != kind_new:
            yield "FIELD_KIND_CHANGED", path
        elif kind_old == "map":
            yield from self._map(old, new, path)
        else:
            yield from self._type(old, new, path)
            if _repeated(old) != _repeated(new):
                delimited = new.type in LENGTH_DELIMITED
                kind = "STRING_OR_BYTES" if delimited else "NUMERIC"
                yield f"FIELD_{kind}_LABEL_CHANGED", path

    def _type(self, old: _Field, new: _Field, path: str) -> Iterator[_Change]:
        if group_of(old) is not None:
            if group_of(old) != group_of(new):
                yield "FIELD_SCALAR_KIND_CHANGED", path
        elif self._original.bare_name(old) != self._update.bare_name(new):
            yield "FIELD_NAMED_TYPE_CHANGED", path
        else:
            self._refer(old, new, path)

    def _refer(self, old: _Field, new: _Field, path: str) -> None:
        """Compare messages by reference too, unless the walk by name meets them anyway."""
        pair = old.type_name, new.type_name
        files = self._original.file(old), self._update.file(new)
        known = files[0] == files[1] and (files[0] is None or files[0] in builtin_names())
        before, after = self._original.message(old), self._update.message(new)
        if not known and pair not in self._referred and before and after:
            self._referred.add(pair)
            self._pending.append(_Task(before, after, path))

    def _map(self, old: _Field, new: _Field, path: str) -> Iterator[_Change]:
        before, after = self._original.message(old), self._update.message(new)
        if before is not None and after is not None:
            for one, other in zip(before.field, after.field, strict=True):
                yield from self._field(one, other, path)

    @staticmethod
    def _kind(side: _Side, field: _Field) -> str:
        if field.type == _Field.TYPE_GROUP:
            return "group"
        if field.type != _Field.TYPE_MESSAGE:
            return "scalar"
        message = side.message(field)
        return "map" if message is not None and message.options.map_entry else "message"


def _named(messages: Iterable[DescriptorProto], bodies: Container[str] = ()) -> _Named:
    """Messages with their index; entries of maps and bodies of groups are none of their own."""
    own = (
        message
        for message in messages
        if not message.options.map_entry and message.name not in bodies
    )
    return {message.name: (index, message) for index, message in enumerate(own)}


def _bodies(
    fields: Iterable[_Field], nested: Iterable[DescriptorProto]
) -> dict[str, DescriptorProto]:
    """The messages that are bodies of groups: named as their field is, but in capitals."""
    groups = {
        field.type_name.rpartition(".")[2]: field.name
        for field in fields
        if field.type == _Field.TYPE_GROUP
    }
    return {each.name: each for each in nested if groups.get(each.name) == each.name.lower()}


def _required(field: _Field) -> bool:
    return field.label == _Field.LABEL_REQUIRED


def _repeated(field: _Field) -> bool:
    return field.label == _Field.LABEL_REPEATED


def _enums(
    old: Sequence[EnumDescriptorProto], new: Sequence[EnumDescriptorProto], path: str
) -> Iterator[_Change]:
    before, after = {enum.name: enum for enum in old}, {enum.name: enum for enum in new}
    for name, enum in before.items():
        if name in after:
            yield from _constants(enum, after[name], f"{path}/{name}")
        else:
            yield "ENUM_REMOVED", f"{path}/{name}"
    for name in after:
        if name not in before:
            yield "ENUM_ADDED", f"{path}/{name}"


def _constants(old: EnumDescriptorProto, new: EnumDescriptorProto, path: str) -> Iterator[_Change]:
    before, after = _by_number(old), _by_number(new)
    for number, names in before.items():
        if number not in after:
            yield "ENUM_CONST_REMOVED", f"{path}/{number}"
        elif names != after[number]:
            yield "ENUM_CONST_CHANGED", f"{path}/{number}"
    for number in after:
        if number not in before:
            yield "ENUM_CONST_ADDED", f"{path}/{number}"


def _by_number(enum: EnumDescriptorProto) -> dict[int, set[str]]:
    names: dict[int, set[str]] = {}
    for value in enum.value:
        names.setdefault(value.number, set()).add(value.name)
    return names
