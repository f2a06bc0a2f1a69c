"""Names used before they are defined, which Avro allows since 1.12; a record's own is one too."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.formats.avro.model import Collection, Named, Record, Type, Union
from registry.formats.contract import SchemaInvalidError


@dataclass(eq=False, slots=True)
class Forward(Type):
    """Stands for the type of a full name until the whole schema is read; used at `path`."""

    full: str = field(kw_only=True)
    path: str = field(kw_only=True)


def resolve(root: Type, names: Mapping[str, Named]) -> Type:
    """Put what the names stand for in their places; SchemaInvalidError for one of nothing."""
    waiting = [found := _found(root, names)]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Collection):
            each.inner = _found(each.inner, names)
            waiting.append(each.inner)
        elif isinstance(each, Union):
            each.branches = [_found(branch, names) for branch in each.branches]
            _check_apart(each)
            waiting += each.branches
        elif isinstance(each, Record):
            for declared in each.fields:
                declared.type = _found(declared.type, names)
                waiting.append(declared.type)
    return found


def _found(each: Type, names: Mapping[str, Named]) -> Type:
    if not isinstance(each, Forward):
        return each
    if each.full not in names:
        raise SchemaInvalidError(f"Undefined schema: {each.full}", each.path)
    return names[each.full]


def _check_apart(union: Union) -> None:
    seen: set[str] = set()
    for branch in union.branches:
        if branch.identity in seen:
            raise SchemaInvalidError(f"Duplicate in union: {branch.identity}")
        seen.add(branch.identity)
