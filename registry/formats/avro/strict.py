"""What a new Avro schema must keep to, beyond what an old one may be read with.

Names by the specification's letters ("Names"), and defaults that their fields can hold ("Complex
Types"). Schemas registered before, or imported, are read without.
"""

import json
import re
from collections.abc import Iterator

from registry.formats.avro.defaults import is_valid_default
from registry.formats.avro.model import (
    ABSENT,
    Collection,
    Enum,
    Model,
    Named,
    Record,
    RecordField,
    Type,
    Union,
)
from registry.formats.contract import SchemaInvalidError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(model: Model) -> None:
    """Refuse a name or a default that the specification does not allow; references are old."""
    for each, path in _types(model):
        if isinstance(each, Named):
            _check_names(each, path)
        if isinstance(each, Record):
            for at, declared in enumerate(each.fields):
                _check_default(declared, f"{path}/fields/{at}")


def _types(model: Model) -> Iterator[tuple[Type, str]]:
    """Every type in reach, once, with its path; none that references brought in."""
    waiting: list[tuple[Type, str]] = [(model.root, "")]
    seen: set[int] = {id(each) for each in model.referenced}
    while waiting:
        each, path = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each, path
        if isinstance(each, Union):
            waiting += [(branch, f"{path}/{at}") for at, branch in enumerate(each.branches)]
        elif isinstance(each, Collection):
            waiting.append((each.inner, f"{path}/{'items' if each.kind == 'array' else 'values'}"))
        elif isinstance(each, Record):
            waiting += [
                (declared.type, f"{path}/fields/{at}/type")
                for at, declared in enumerate(each.fields)
            ]


def _check_names(each: Named, path: str) -> None:
    names = each.name.full.split(".")
    if isinstance(each, Record):
        names += [declared.name for declared in each.fields]
    if isinstance(each, Enum):
        names += each.symbols
    for name in names:
        if not _NAME.fullmatch(name):
            raise SchemaInvalidError(f"Illegal character in: {name[:200]}", path)


def _check_default(declared: RecordField, path: str) -> None:
    if declared.default is ABSENT or is_valid_default(declared.type, declared.default):
        return
    shown = json.dumps(declared.default)[:200]
    raise SchemaInvalidError(
        f"Invalid default for field {declared.name}: {shown} not a {declared.type.kind}", path
    )
