"""Fields that come and go, and moves into, out of and between oneofs, by tag."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

_Change: TypeAlias = tuple[str, str]
# Of each tag: the name of its oneof, or None at top level.
_Homes: TypeAlias = Mapping[int, str | None]


def compare_oneofs(old: DescriptorProto, new: DescriptorProto, path: str) -> Iterator[_Change]:
    """All changes of presence and place of a message's fields."""
    before, after = _homes(old), _homes(new)
    yield from _removed(old, before, after, path)
    yield from _added(new, before, after, path)
    old_names, members = _members(before), _members(after)
    for name in old_names:
        if name not in members:
            yield "ONEOF_REMOVED", f"{path}/{name}"
    for name in members:
        if name not in old_names:
            yield "ONEOF_ADDED", f"{path}/{name}"
        yield from _gathered(name, members[name], before, path)


def _homes(message: DescriptorProto) -> _Homes:
    """Where each tag lives; the oneof behind a proto3 `optional` is nobody's home."""
    return {
        field.number: message.oneof_decl[field.oneof_index].name
        if field.HasField("oneof_index") and not field.proto3_optional
        else None
        for field in message.field
    }


def _members(homes: _Homes) -> dict[str, list[int]]:
    """The tags of each oneof, in declared order."""
    members: dict[str, list[int]] = {}
    for tag, home in homes.items():
        if home is not None:
            members.setdefault(home, []).append(tag)
    return members


def _removed(old: DescriptorProto, before: _Homes, after: _Homes, path: str) -> Iterator[_Change]:
    surviving = {home for tag, home in before.items() if tag in after} | set(after.values())
    for field in old.field:
        tag, home = field.number, before[field.number]
        if tag in after:
            if home is not None and after[tag] is None:
                yield "ONEOF_FIELD_MOVED_TO_TOP_LEVEL", f"{path}/{home}/{tag}"
        elif home is None:
            required = field.label == FieldDescriptorProto.LABEL_REQUIRED
            yield "REQUIRED_FIELD_REMOVED" if required else "FIELD_REMOVED", f"{path}/{tag}"
        elif home in surviving:
            yield "ONEOF_FIELD_REMOVED", f"{path}/{home}/{tag}"


def _added(new: DescriptorProto, before: _Homes, after: _Homes, path: str) -> Iterator[_Change]:
    known = set(before.values())
    for field in new.field:
        tag, home = field.number, after[field.number]
        if tag in before:
            continue
        if home is None:
            required = field.label == FieldDescriptorProto.LABEL_REQUIRED
            yield "REQUIRED_FIELD_ADDED" if required else "FIELD_ADDED", f"{path}/{tag}"
        elif home in known:
            yield "ONEOF_FIELD_ADDED", f"{path}/{home}/{tag}"


def _gathered(name: str, tags: list[int], before: _Homes, path: str) -> Iterator[_Change]:
    """A oneof whose members were independent before: setting one now clears another."""
    known = [tag for tag in tags if tag in before]
    oneofs = {before[tag] for tag in known if before[tag] is not None}
    fields = [tag for tag in known if before[tag] is None]
    if oneofs and fields:
        for tag in fields:
            yield "FIELD_MOVED_TO_EXISTING_ONEOF", f"{path}/{name}/{tag}"
    if len(oneofs) > 1 or (not oneofs and len(fields) > 1):
        yield "MULTIPLE_FIELDS_MOVED_TO_ONEOF", f"{path}/{name}"
