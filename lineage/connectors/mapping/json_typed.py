"""JSON read straight into the fields that a copy has columns of, each of its declared type.

msgspec builds no value for what nobody asked for, and no dictionary. It is as strict as RFC 8259,
but for the UTF-8 of what it passes over. Whatever is not as declared is left to a decoder that
takes all: raises ValueError.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from lineage.connectors.columns import Kind

Columns = Callable[[Sequence[bytes]], list[Sequence[Any]]]

# what a field of JSON is, whose value a column of a kind is made from
_TYPES: dict[Kind, Any] = {
    "bigint": int,
    "integer": int,
    "double": float,
    "boolean": bool,
    "text": str,
    "uuid": str,
    "date": int | str,
    "timestamptz": int | str,
}


def columns_of(fields: Mapping[tuple[str, ...], Kind]) -> Columns | None:
    """Return what reads, of each payload, the values at these paths; None where it cannot be.

    A value is of a type that JSON has for the kind, or None where it is null or absent.
    """
    root: dict[str, Any] = {}
    for path, kind in fields.items():
        if kind not in _TYPES or not _put(root, path, _TYPES[kind]):
            return None
    try:
        shape, taken = _shape(root, ())
    except ValueError:  # a name with a quote or a backslash in it
        return None
    decode = msgspec.json.Decoder(shape).decode
    order = {path: at for at, path in enumerate(_paths(root, ()))}
    places = [order[path] for path in fields]

    def read(payloads: Sequence[bytes]) -> list[Sequence[Any]]:
        whole = b"\n".join(payloads)
        if not whole.isascii():
            whole.decode()
        try:
            found = taken(list(map(decode, payloads)))
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from error
        return [found[at] for at in places]

    return read


def _put(tree: dict[str, Any], path: tuple[str, ...], kind: Any) -> bool:
    """Put a field into a tree of records; whether no other stands there."""
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            return False
    return tree.setdefault(path[-1], kind) is kind and path[-1] != ""


def _paths(tree: Mapping[str, Any], before: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the paths of the fields, in the order in which they are taken."""
    found: list[tuple[str, ...]] = []
    for name, inner in tree.items():
        path = (*before, name)
        found += _paths(inner, path) if isinstance(inner, dict) else [path]
    return found


def _shape(
    tree: Mapping[str, Any], path: tuple[int, ...]
) -> tuple[type[msgspec.Struct], Callable[[Sequence[Any]], list[Sequence[Any]]]]:
    """Return a class of records, and what takes many of them apart into columns."""
    fields, inner = [], {}
    for at, (name, found) in enumerate(tree.items()):
        kind = found
        if isinstance(found, dict):
            kind, inner[at] = _shape(found, (*path, at))
        fields.append((f"f{at}", kind | None, msgspec.field(name=name, default=None)))
    shape = msgspec.defstruct(f"Record{''.join(f'_{at}' for at in path)}", fields, gc=False)
    empty = shape()

    def take(records: Sequence[Any]) -> list[Sequence[Any]]:
        there = [empty if record is None else record for record in records] if path else records
        columns: list[Sequence[Any]] = list(zip(*map(msgspec.structs.astuple, there), strict=True))
        if not inner:
            return columns
        taken: list[Sequence[Any]] = []
        for at, column in enumerate(columns):
            taken += inner[at](column) if at in inner else [column]
        return taken

    return shape, take
