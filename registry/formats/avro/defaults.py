"""Whether a JSON value can be the default of an Avro type (Avro specification, "Complex Types")."""

from typing import Any

from registry.formats.avro.model import ABSENT, Collection, Record, Type, Union

_INTEGERS = {"int": 2**31, "long": 2**63}
_TEXTUAL = frozenset({"string", "bytes", "enum", "fixed"})
Records = tuple[Type, ...]


def is_valid_default(each: Type, value: Any, unfinished: Records = ()) -> bool:
    """Judge a value; a union accepts what any of its branches accepts (since Avro 1.12).

    No value is one of an `unfinished` record: a default cannot hold what is being defined. What is
    not defined yet at all may turn out to be a record, and is taken for one.
    """
    if isinstance(each, Union):
        return any(is_valid_default(branch, value, unfinished) for branch in each.branches)
    if isinstance(each, Collection):
        return _is_valid_collection(each, value, unfinished)
    if isinstance(each, Record):
        return each not in unfinished and _is_valid_record(each, value, unfinished)
    return _is_valid_scalar(each.kind, value)


def _is_valid_scalar(kind: str, value: Any) -> bool:
    if kind in _TEXTUAL:
        return isinstance(value, str)
    if kind in _INTEGERS:
        return _is_integer(value) and -_INTEGERS[kind] <= value < _INTEGERS[kind]
    if kind in {"float", "double"}:
        return _is_integer(value) or isinstance(value, float)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, dict) if kind == "forward" else value is None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_valid_collection(each: Collection, value: Any, unfinished: Records) -> bool:
    wanted = list if each.kind == "array" else dict
    if not isinstance(value, wanted):
        return False
    held = value.values() if isinstance(value, dict) else value
    return all(is_valid_default(each.inner, one, unfinished) for one in held)


def _is_valid_record(each: Record, value: Any, unfinished: Records) -> bool:
    if not isinstance(value, dict):
        return False
    for declared in each.fields:
        given = value.get(declared.name, declared.default)
        # a default that is made of its own record's defaults would never end
        inside = unfinished if declared.name in value else (*unfinished, each)
        if given is ABSENT or not is_valid_default(declared.type, given, inside):
            return False
    return True
