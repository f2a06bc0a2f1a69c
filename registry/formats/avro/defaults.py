"""Whether a JSON value can be the default of an Avro type (Avro specification, "Complex Types")."""

from typing import Any

from registry.formats.avro.model import ABSENT, Collection, Record, Type, Union

_INTEGERS = {"int": 2**31, "long": 2**63}
_TEXTUAL = frozenset({"string", "bytes", "enum", "fixed"})


def is_valid_default(each: Type, value: Any) -> bool:
    """Judge a value; a union accepts what any of its branches accepts (since Avro 1.12)."""
    if isinstance(each, Union):
        return any(is_valid_default(branch, value) for branch in each.branches)
    if isinstance(each, Collection):
        return _is_valid_collection(each, value)
    if isinstance(each, Record):
        return _is_valid_record(each, value)
    if each.kind in _TEXTUAL:
        return isinstance(value, str)
    if each.kind in _INTEGERS:
        bound = _INTEGERS[each.kind]
        return _is_integer(value) and -bound <= value < bound
    if each.kind in {"float", "double"}:
        return _is_integer(value) or isinstance(value, float)
    if each.kind == "boolean":
        return isinstance(value, bool)
    return value is None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_valid_collection(each: Collection, value: Any) -> bool:
    if each.kind == "array":
        return isinstance(value, list) and all(is_valid_default(each.inner, one) for one in value)
    return isinstance(value, dict) and all(
        is_valid_default(each.inner, one) for one in value.values()
    )


def _is_valid_record(each: Record, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    for declared in each.fields:
        given = value.get(declared.name, declared.default)
        if given is ABSENT or not is_valid_default(declared.type, given):
            return False
    return True
