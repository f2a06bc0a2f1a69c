"""Whether a JSON value can be the default of an Avro type (Avro specification, "Complex Types")."""

from typing import Any

from registry.formats.avro.model import ABSENT, Collection, Record, RecordField, Type, Union

_INTEGERS = {"int": 2**31, "long": 2**63}
_TEXTUAL = frozenset({"string", "bytes", "enum", "fixed"})
Records = tuple[Type, ...]
Judged = dict[tuple[int, int, frozenset[int]], bool]


def is_valid_default(
    each: Type, value: Any, unfinished: Records = (), judged: Judged | None = None
) -> bool:
    """Judge a value; a union accepts what any of its branches accepts (since Avro 1.12).

    No value is one of an `unfinished` record: a default cannot hold what is being defined. What is
    not defined yet at all may turn out to be a record, and is taken for one. A record's fields
    bring defaults of their own: each is `judged` once for its type, or a few records that name
    each other twice would take for ever.
    """
    judged = {} if judged is None else judged
    if isinstance(each, Union):
        return any(is_valid_default(branch, value, unfinished, judged) for branch in each.branches)
    if isinstance(each, Collection):
        return _is_valid_collection(each, value, unfinished, judged)
    if isinstance(each, Record):
        return each not in unfinished and _is_valid_record(each, value, unfinished, judged)
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


def _is_valid_collection(each: Collection, value: Any, unfinished: Records, judged: Judged) -> bool:
    wanted = list if each.kind == "array" else dict
    if not isinstance(value, wanted):
        return False
    held = value.values() if isinstance(value, dict) else value
    return all(is_valid_default(each.inner, one, unfinished, judged) for one in held)


def _is_valid_record(each: Record, value: Any, unfinished: Records, judged: Judged) -> bool:
    if not isinstance(value, dict):
        return False
    # all of them live as long as the schema, so their addresses name them
    key = (id(each), id(value), frozenset(map(id, unfinished)))
    if key not in judged:
        judged[key] = all(
            _is_valid_field(each, declared, value, unfinished, judged) for declared in each.fields
        )
    return judged[key]


def _is_valid_field(
    each: Record, declared: RecordField, value: Any, unfinished: Records, judged: Judged
) -> bool:
    given = value.get(declared.name, declared.default)
    # a default that is made of its own record's defaults would never end
    inside = unfinished if declared.name in value else (*unfinished, each)
    return given is not ABSENT and is_valid_default(declared.type, given, inside, judged)
