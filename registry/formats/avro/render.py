"""From types back to text: as the Java library prints a schema, and as its normal form."""

import math
import re
from typing import Any

from registry.formats.avro.model import (
    ABSENT,
    Collection,
    Enum,
    Fixed,
    Model,
    Name,
    Named,
    Record,
    RecordField,
    Type,
    Union,
)

_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_SHORT = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}


def _escape(match: re.Match[str]) -> str:
    letter = match[0]
    return _SHORT.get(letter) or f"\\u{ord(letter):04X}"


def by_utf16(text: str) -> bytes:
    """The key that sorts texts as Java does: by UTF-16 units, not by code points."""
    return text.encode("utf-16-be", "surrogatepass")


def quote(text: str) -> str:
    """A JSON string as Jackson writes it: only what must be escaped is."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _number(value: float) -> str:
    """A double as Java's Double.toString prints it."""
    if not math.isfinite(value):
        return {math.inf: '"Infinity"', -math.inf: '"-Infinity"'}.get(value, '"NaN"')
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = f"{value!r}"
        return text if "e" not in text else f"{value:f}"
    digits = repr(abs(value)).replace(".", "").partition("e")[0].strip("0")
    # of the decimals with two digits the nearest, where one digit would do
    shown = f"{abs(value):.{max(len(digits), 2) - 1}e}"
    mantissa, _, exponent = shown.partition("e")
    return f"{'-' if value < 0 else ''}{mantissa}E{int(exponent)}"


def dump(value: Any, *, sort: bool = False) -> str:
    """Compact JSON as Jackson writes it."""
    if isinstance(value, str):
        return quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return f"[{','.join(dump(item, sort=sort) for item in value)}]"
    if isinstance(value, dict):
        items = sorted(value.items()) if sort else value.items()
        return "{" + ",".join(f"{quote(key)}:{dump(one, sort=sort)}" for key, one in items) + "}"
    return str(value)


class Printer:
    """Prints a schema as Java's `Schema.toString` does: a name is defined where it first appears.

    The names that the model has as known are written as names. `normal` is the Parsing Canonical
    Form followed by what that leaves out (docs, aliases, defaults, properties): it sorts what is
    order-free, spells every name in full, and leaves out what has no meaning.
    """

    def __init__(self, model: Model, *, normal: bool = False) -> None:
        self._root = model.root
        self._known = set(model.known)
        self._normal = normal

    def print(self) -> str:
        """The text."""
        return self._type(self._root, "")

    def _type(self, each: Type, space: str) -> str:
        if isinstance(each, Union):
            return f"[{','.join(self._type(branch, space) for branch in each.branches)}]"
        if isinstance(each, Named):
            return self._named(each, space)
        members: list[str] = []
        if isinstance(each, Collection):
            key = "items" if each.kind == "array" else "values"
            members = [f'"{key}":{self._type(each.inner, space)}']
        members += self._props(each.props)
        if not members:
            return quote(each.kind)
        return self._object([f'"type":{quote(each.kind)}', *members])

    def _named(self, each: Named, space: str) -> str:
        if each.name.full in self._known:
            return quote(each.name.full if self._normal else each.name.within(space))
        self._known.add(each.name.full)
        doc = [f'"doc":{quote(each.doc)}'] if each.doc is not None else []
        aliases = [f'"aliases":{self._aliases(each)}'] if each.aliases else []
        props, default = self._props(each.props), self._default(each)
        if self._normal:
            rest = [*self._body(each), *doc, *aliases, *default, *props]
        else:
            rest = [*doc, *self._body(each), *default, *props, *aliases]
        return self._object([*self._head(each, space), *rest])

    def _head(self, each: Named, space: str) -> list[str]:
        kind = f'"type":{quote(each.kind)}'
        if self._normal:
            # a name without a space would be read as of the space around it
            nowhere = ['"namespace":""'] if space and not each.name.space else []
            return [f'"name":{quote(each.name.full)}', *nowhere, kind]
        members = [kind, f'"name":{quote(each.name.name)}']
        if each.name.space != space:
            members.append(f'"namespace":{quote(each.name.space)}')
        return members

    def _body(self, each: Named) -> list[str]:
        if isinstance(each, Record):
            fields = ",".join(self._field(declared, each.name) for declared in each.fields)
            return [f'"fields":[{fields}]']
        if isinstance(each, Enum):
            return [f'"symbols":{dump(each.symbols)}']
        return [f'"size":{each.size}'] if isinstance(each, Fixed) else []

    @staticmethod
    def _default(each: Named) -> list[str]:
        if isinstance(each, Enum) and each.default is not None:
            return [f'"default":{quote(each.default)}']
        return []

    def _field(self, declared: RecordField, owner: Name) -> str:
        members = [
            f'"name":{quote(declared.name)}',
            f'"type":{self._type(declared.type, owner.space)}',
        ]
        doc, default, order, aliases = [], [], [], []
        if declared.doc is not None:
            doc = [f'"doc":{quote(declared.doc)}']
        if declared.default is not ABSENT:
            default = [f'"default":{dump(declared.default, sort=self._normal)}']
        if declared.order != "ascending":
            order = [f'"order":{quote(declared.order)}']
        if declared.aliases:
            names = sorted(declared.aliases, key=by_utf16) if self._normal else declared.aliases
            aliases = [f'"aliases":{dump(names)}']
        if self._normal:
            members += [*order, *doc, *aliases, *default]
        else:
            members += [*doc, *default, *order, *aliases]
        return self._object(members + self._props(declared.props))

    def _props(self, props: dict[str, Any]) -> list[str]:
        keys = sorted(props, key=by_utf16) if self._normal else props
        items = ((key, props[key]) for key in keys)
        return [f"{quote(key)}:{dump(value, sort=self._normal)}" for key, value in items]

    def _aliases(self, each: Named) -> str:
        if self._normal:
            # one without a namespace, of a type with one, would be read as of that
            outside = "." if each.name.space else ""
            names = {alias.full if alias.space else outside + alias.name for alias in each.aliases}
            return dump(sorted(names, key=by_utf16))
        return dump([alias.within(each.name.space) for alias in each.aliases])

    @staticmethod
    def _object(members: list[str]) -> str:
        return "{" + ",".join(members) + "}"
