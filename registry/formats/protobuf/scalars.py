"""Which scalar types read each other's wire form: protobuf.dev, "Updating A Message Type"."""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as _Field

_VARINT = frozenset({
    _Field.TYPE_INT32, _Field.TYPE_INT64, _Field.TYPE_UINT32, _Field.TYPE_UINT64, _Field.TYPE_BOOL,
    _Field.TYPE_ENUM,
})  # fmt: skip
_GROUPS = (
    _VARINT,
    frozenset({_Field.TYPE_SINT32, _Field.TYPE_SINT64}),
    frozenset({_Field.TYPE_STRING, _Field.TYPE_BYTES}),
    frozenset({_Field.TYPE_FIXED32, _Field.TYPE_SFIXED32}),
    frozenset({_Field.TYPE_FIXED64, _Field.TYPE_SFIXED64}),
    frozenset({_Field.TYPE_FLOAT}),
    frozenset({_Field.TYPE_DOUBLE}),
)
# One such value is read as a list of one, and of a list the last is read: never packed.
LENGTH_DELIMITED = frozenset({
    _Field.TYPE_STRING, _Field.TYPE_BYTES, _Field.TYPE_MESSAGE, _Field.TYPE_GROUP,
})  # fmt: skip


def group_of(field: _Field) -> int | None:
    """The index of the group of a scalar type; None for messages."""
    return next((index for index, group in enumerate(_GROUPS) if field.type in group), None)
