"""What is judged BACKWARD-compatible is: old messages are read under the new schema.

Generated pairs of messages; the judge is protobuf itself. A field that keeps its type keeps its
value; only a change within a scalar group may give a value another reading.
"""

from typing import Any

from google.protobuf import message_factory
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from registry.formats.contract import Parsed
from registry.formats.protobuf import FORMAT
from registry.formats.protobuf.model import Model

TYPES = ("int32", "uint64", "sint32", "bool", "string", "double", "fixed32", "E", "N")
Fields = dict[int, tuple[str, str]]
_FIELDS: st.SearchStrategy[Fields] = st.dictionaries(
    st.integers(1, 5),
    st.tuples(st.sampled_from(TYPES), st.sampled_from(["", "", "repeated ", "o", "p"])),
    min_size=1,
    max_size=4,
)


def _text(fields: Fields) -> str:
    lines = ["message N { string s = 1; }", "enum E { Z = 0; Y = 1; }", "message M {"]
    for home in ("o", "p"):
        members = "".join(
            f"{kind} f{tag} = {tag};" for tag, (kind, place) in fields.items() if place == home
        )
        if members:
            lines.append(f"oneof {home} {{ {members} }}")
    lines += [
        f"{place}{kind} f{tag} = {tag};"
        for tag, (kind, place) in fields.items()
        if place not in {"o", "p"}
    ]
    return "\n".join(['syntax = "proto3";', *lines, "}"])


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[Fields, Fields]:
    original = draw(_FIELDS)
    update = dict(original)
    for tag, field in draw(_FIELDS).items():
        match draw(st.sampled_from(["drop", "move", "type", "replace"])):
            case "drop":
                update.pop(tag, None)
            case "move":
                update[tag] = (update.get(tag, field)[0], field[1])
            case "type":
                update[tag] = (field[0], update.get(tag, field)[1])
            case _:
                update[tag] = field
    return original, update


def _class(schema: Parsed) -> Any:
    assert isinstance(schema.model, Model)
    return message_factory.GetMessageClass(schema.model.pool.FindMessageTypeByName("M"))


def _value(draw: st.DrawFn, kind: str) -> Any:
    if kind == "string":
        return draw(st.sampled_from(["", "a", "ä"]))
    if kind == "N":
        return {"s": draw(st.sampled_from(["", "n"]))}
    return draw(st.integers(0, 1))


@st.composite
def _written(draw: st.DrawFn, fields: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {}
    taken: set[str] = set()
    for tag, (kind, place) in fields.items():
        if place in taken or not draw(st.booleans()):
            continue
        if place in {"o", "p"}:
            taken.add(place)
        repeated = place == "repeated "
        values[f"f{tag}"] = [_value(draw, kind)] * 2 if repeated else _value(draw, kind)
    return values


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(pair=_pairs(), data=st.data())
def test_old_messages_stay_readable(pair: tuple[Fields, Fields], data: st.DataObject) -> None:
    original, update = (FORMAT.parse(_text(fields)) for fields in pair)
    assume(all(change.compatible for change in FORMAT.compare(original, update)))
    written = data.draw(_written(pair[0]))
    old = _class(original)(**written)
    new = _class(update).FromString(old.SerializeToString())
    for tag, (kind, place) in pair[0].items():
        if pair[1].get(tag, ("", ""))[0] == kind:
            _assert_kept(old, new, f"f{tag}", place == "repeated ")


def _assert_kept(old: Any, new: Any, name: str, was_repeated: bool) -> None:
    """The value as before; a list of one or the last of a list where the label changed."""
    before, after = _plain(getattr(old, name)), _plain(getattr(new, name))
    field = new.DESCRIPTOR.fields_by_name[name]
    if was_repeated and not field.is_repeated:
        assert not before or after == before[-1]
    elif field.is_repeated and not was_repeated:
        singular = old.DESCRIPTOR.fields_by_name[name]
        present = old.HasField(name) if singular.has_presence else bool(before)
        assert after == ([before] if present else [])
    else:
        assert before == after


def _plain(value: Any) -> Any:
    """The value in a form that two pools have in common."""
    if hasattr(value, "SerializeToString"):
        return value.SerializeToString()
    if isinstance(value, str | int | float):
        return value
    return [_plain(item) for item in value]


EDITION_TYPES = ("int32", "string", "bytes", "E", "N", "map<string, int32>", "map<int32, N>")
EDITION_PLACES = ("", "required", "repeated", "delimited")
_EDITION_FIELDS: st.SearchStrategy[Fields] = st.dictionaries(
    st.integers(1, 4),
    st.tuples(st.sampled_from(EDITION_TYPES), st.sampled_from(EDITION_PLACES)),
    min_size=1,
)


def _edition(fields: Fields) -> str:
    lines = []
    for tag, (kind, place) in fields.items():
        is_map = kind.startswith("map")
        label = "repeated " if place == "repeated" and not is_map else ""
        option = ""
        if place == "required" and not is_map:
            option = " [features.field_presence = LEGACY_REQUIRED]"
        if place == "delimited" and kind == "N":
            option = " [features.message_encoding = DELIMITED]"
        lines.append(f"{label}{kind} f{tag} = {tag}{option};")
    return (
        'edition = "2023"; message N { string s = 1; } enum E { Z = 0; Y = 1; } '
        f"message M {{ {' '.join(lines)} }}"
    )


def _edition_value(kind: str) -> Any:
    return {
        "int32": 1, "string": "a", "bytes": b"a", "E": 1, "N": {"s": "n"},
        "map<string, int32>": {"k": 1}, "map<int32, N>": {2: {"s": "n"}},
    }[kind]  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(original=_EDITION_FIELDS, changed=_EDITION_FIELDS, unset=st.sets(st.integers(1, 4)))
def test_old_messages_of_editions_stay_readable(
    original: Fields, changed: Fields, unset: set[int]
) -> None:
    """Required and delimited fields, maps and messages: each old field is known to the reader."""
    update = {**original, **dict(list(changed.items())[:1])}
    old, new = FORMAT.parse(_edition(original)), FORMAT.parse(_edition(update))
    assume(all(change.compatible for change in FORMAT.compare(old, new)))
    values = {
        f"f{tag}": [_edition_value(kind)] if place == "repeated" and kind[:3] != "map"
        else _edition_value(kind)
        for tag, (kind, place) in original.items()
        if place == "required" or tag not in unset
    }  # fmt: skip
    read = _class(new).FromString(_class(old)(**values).SerializeToString())
    assert read.IsInitialized()
    assert {field.name for field, _ in read.ListFields()} == set(values)
