"""From a registered schema to columns: one file per format, and the naming they share. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from lineage.connectors.columns import Column, Convert, Kind, Plan, SourceColumn

_LONGEST_NAME = 63


def source(path: tuple[str, ...], kind: Kind, convert: Convert | None = None) -> SourceColumn:
    """Return an unnamed column of a kind that needs no more said."""
    return SourceColumn(Column("", kind), path, convert)


def plan_of(sources: Iterable[SourceColumn]) -> Plan:
    """Name the columns by their paths, joined by `_`; by `__` where that name is a field's own.

    A column that has a name already keeps it, unless a field's own is that.
    """
    found = list(sources)
    taken = {source.path[0] for source in found if len(source.path) == 1}
    named = []
    for one in found:
        name = one.column.name or "_".join(one.path)
        if len(one.path) > 1 or one.column.name:
            while name in taken:
                name = name.replace("_", "__", 1) if "__" not in name else f"{name}_"
            taken.add(name)
        named.append(replace(one, column=replace(one.column, name=_short(name or "value"))))
    return Plan(tuple(named))


def _short(name: str) -> str:
    """Keep within PostgreSQL's 63 bytes, telling apart names that begin alike."""
    raw = name.encode()
    if len(raw) <= _LONGEST_NAME:
        return name
    mark = blake2b(raw, digest_size=4).hexdigest()
    return f"{raw[: _LONGEST_NAME - 9].decode(errors='ignore')}_{mark}"
