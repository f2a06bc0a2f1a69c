"""Whether two definitions of one name say the same; then the second one is allowed."""

from registry.formats.avro.model import (
    ABSENT,
    Collection,
    Enum,
    Fixed,
    Named,
    Record,
    RecordField,
    Type,
    Union,
)
from registry.formats.avro.render import dump


def is_same(one: Type, other: Type) -> bool:
    """Judge as Java's `Schema.equals` does: docs, aliases and an enum's default do not count.

    Ends, since a name that is not defined yet is the same as nothing else.
    """
    if one is other:
        return True
    if _family(one) != _family(other) or one.identity != other.identity:
        return False
    if dump(one.props, sort=True) != dump(other.props, sort=True):
        return False
    return _has_same_parts(one, other)


def _family(each: Type) -> str:
    return "record" if each.kind == "error" else each.kind


def _has_same_parts(one: Type, other: Type) -> bool:
    if isinstance(one, Record) and isinstance(other, Record):
        return len(one.fields) == len(other.fields) and all(
            map(_is_same_field, one.fields, other.fields)
        )
    if isinstance(one, Enum) and isinstance(other, Enum):
        return one.symbols == other.symbols
    if isinstance(one, Fixed) and isinstance(other, Fixed):
        return one.size == other.size
    if isinstance(one, Collection) and isinstance(other, Collection):
        return is_same(one.inner, other.inner)
    if isinstance(one, Union) and isinstance(other, Union):
        return len(one.branches) == len(other.branches) and all(
            map(is_same, one.branches, other.branches)
        )
    return not isinstance(one, Named) and one.kind != "forward"


def _is_same_field(one: RecordField, other: RecordField) -> bool:
    return (
        (one.name, one.order, _default(one)) == (other.name, other.order, _default(other))
        and dump(one.props, sort=True) == dump(other.props, sort=True)
        and is_same(one.type, other.type)
    )


def _default(declared: RecordField) -> str:
    return "" if declared.default is ABSENT else dump(declared.default, sort=True)
