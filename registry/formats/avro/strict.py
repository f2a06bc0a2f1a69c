"""What a new Avro schema must keep to, beyond what an old one may be read with.

Names by the specification's letters ("Names"), and defaults that their fields can hold ("Complex
Types"). Schemas registered before, or imported, are read without.
"""

import json
import re
from collections.abc import Iterator

from registry.formats.avro.defaults import Judged, is_valid_default
from registry.formats.avro.model import (
    ABSENT,
    Collection,
    Enum,
    Model,
    Named,
    Record,
    Type,
    Unfit,
    Union,
)
from registry.formats.contract import SchemaInvalidError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(model: Model) -> None:
    """Refuse a name or a default that the specification does not allow; references are old."""
    for unfit in model.unfit:
        _refuse(unfit)
    _Check({id(each) for each in model.referenced}).visit(model.root, "")


class _Check:
    """Looks at every type in reach once; what contains a record is unfinished while it is seen."""

    def __init__(self, seen: set[int]) -> None:
        self._seen = seen
        self._unfinished: list[Type] = []
        self._judged: Judged = {}

    def visit(self, each: Type, path: str) -> None:
        if id(each) in self._seen:
            return
        self._seen.add(id(each))
        if isinstance(each, Named):
            _check_names(each, path)
        self._unfinished.append(each)
        for inner, inner_path in _parts(each, path):
            self.visit(inner, inner_path)
        if isinstance(each, Record):
            self._check_defaults(each, path)
        self._unfinished.pop()

    def _check_defaults(self, each: Record, path: str) -> None:
        unfinished = tuple(self._unfinished)
        for at, declared in enumerate(each.fields):
            default = declared.default
            if default is ABSENT or is_valid_default(
                declared.type, default, unfinished, self._judged
            ):
                continue
            _refuse(Unfit(declared.name, default, declared.type.kind, f"{path}/fields/{at}"))


def _parts(each: Type, path: str) -> Iterator[tuple[Type, str]]:
    """The types directly within, with their paths."""
    if isinstance(each, Union):
        yield from ((branch, f"{path}/{at}") for at, branch in enumerate(each.branches))
    elif isinstance(each, Collection):
        yield each.inner, f"{path}/{'items' if each.kind == 'array' else 'values'}"
    elif isinstance(each, Record):
        for at, declared in enumerate(each.fields):
            yield declared.type, f"{path}/fields/{at}/type"


def _check_names(each: Named, path: str) -> None:
    names = each.name.full.split(".")
    names += [alias.name for alias in each.aliases]
    if isinstance(each, Record):
        names += [declared.name for declared in each.fields]
    if isinstance(each, Enum):
        names += each.symbols
    for name in names:
        if not _NAME.fullmatch(name):
            raise SchemaInvalidError(f"Illegal character in: {name[:200]}", path)


def _refuse(unfit: Unfit) -> None:
    shown = json.dumps(unfit.default)[:200]
    raise SchemaInvalidError(
        f"Invalid default for field {unfit.field}: {shown} not a {unfit.kind}", unfit.path
    )
