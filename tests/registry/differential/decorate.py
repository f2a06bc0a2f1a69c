"""What makes schemas odd: namespaces, aliases, defaults, properties, definitions out of place."""

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.registry.differential.generate import NAMES, PRIMITIVES, SYMBOLS, Schema

NAMED = ("record", "error", "enum", "fixed")
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 7, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, 10**25, 1.0, 1.5, -0.0, 1e7,
    1e-4, 5e-324, 1.7976931348623157e308, "", "s", "A", "\u00ff", "\u0100b", "1.5", "NaN",
    "-Infinity", "1d", "0x1p3", "é\U0001f600", '"\\/\b\x1f\u2028', [], [1], ["A"], [None], {},
    {"f0": 1}, {"f0": None, "f1": "s"}, {"a": [{"b": None}], "c": 1e30},
)  # fmt: skip
ALIASES = (*NAMES, *(f"z{name}" for name in NAMES), "p.n0", "q.r.n1", ".n0", ".zn1", "A", "p.zn2")
ODD_NAMES = ("int", "record", "array", "p.int", "p.map", "a-b", "1", "é", "a..b", ".n0", "p.", "")
LOGICAL: tuple[Schema, ...] = (
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 9},
    {"type": "string", "logicalType": "uuid"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "string", "logicalType": "nobody-knows", "more": [1, {"x": None}]},
    {"type": "long", "logicalType": 5},
)


def _within(node: Schema) -> Iterator[tuple[Any, Any]]:
    """Every place of a schema that holds one, inside this one: the holder and its key."""
    if isinstance(node, list):
        for at in range(len(node)):
            yield node, at
            yield from _within(node[at])
    elif isinstance(node, dict):
        for key in ("items", "values"):
            if key in node:
                yield node, key
                yield from _within(node[key])
        for declared in node.get("fields", ()):
            yield declared, "type"
            yield from _within(declared["type"])


def _nodes(box: list[Schema]) -> list[dict[str, Any]]:
    """Every schema in the box that is spelt as an object."""
    found = (holder[key] for holder, key in _within(box))
    return [each for each in found if isinstance(each, dict) and "type" in each]


def _named(box: list[Schema]) -> list[dict[str, Any]]:
    return [node for node in _nodes(box) if node.get("type") in NAMED and "name" in node]


def _fields(box: list[Schema]) -> list[dict[str, Any]]:
    return [declared for node in _nodes(box) for declared in node.get("fields", ())]


def _space(random: Random, box: list[Schema]) -> None:
    named = _named(box)
    if named:
        # mostly the outermost, whose namespace is that of everything within
        node = named[0] if random.random() < 0.7 else random.choice(named)
        space = random.choice(("p", "q.r", "", "p"))
        if random.random() < 0.3 and "." not in node["name"]:
            node["name"] = f"{space}.{node['name']}"
        else:
            node["namespace"] = space


def _alias(random: Random, box: list[Schema]) -> None:
    for node in random.sample(named := _named(box), min(len(named), 2)):
        node["aliases"] = random.choices(ALIASES, k=random.randint(1, 3))


def _alias_field(random: Random, box: list[Schema]) -> None:
    for declared in random.sample(fields := _fields(box), min(len(fields), 2)):
        names = ("f0", "f1", "f2", "g0", "g1", "hf0", "hf1", "hf2", declared["name"])
        declared["aliases"] = random.sample(names, random.randint(1, 2))


def _default(random: Random, box: list[Schema]) -> None:
    if fields := _fields(box):
        random.choice(fields)["default"] = copy.deepcopy(random.choice(VALUES))


def _default_symbol(random: Random, box: list[Schema]) -> None:
    for node in _nodes(box):
        if node["type"] == "enum":
            node["default"] = random.choice((*SYMBOLS, None, 1))


def _property(random: Random, box: list[Schema]) -> None:
    holders = _nodes(box) + _fields(box)
    if holders:
        key = random.choice(("x", "doc", "doc", "order", "default", "logicalType", "a b", "items"))
        if key != "items" or random.random() < 0.1:
            random.choice(holders)[key] = copy.deepcopy(random.choice(VALUES))


def _order(random: Random, box: list[Schema]) -> None:
    if fields := _fields(box):
        orders = ("ascending", "descending", "ignore", "IGNORE", "Descending")
        random.choice(fields)["order"] = random.choice(orders)


def _wrap(random: Random, box: list[Schema]) -> None:
    holder, key = random.choice(list(_within(box)))
    if not isinstance(holder[key], list) or random.random() < 0.1:
        holder[key] = {"type": holder[key]}


def _logical(random: Random, box: list[Schema]) -> None:
    holder, key = random.choice(list(_within(box)))
    if holder[key] in PRIMITIVES or (isinstance(holder[key], dict) and "precision" in holder[key]):
        holder[key] = copy.deepcopy(random.choice(LOGICAL))


def _error(random: Random, box: list[Schema]) -> None:
    for node in _nodes(box):
        if node["type"] == "record" and random.random() < 0.5:
            node["type"] = "error"


def _define_again(random: Random, box: list[Schema]) -> None:
    """Write a definition out where its name stands."""
    places = [(holder, key) for holder, key in _within(box) if holder[key] in NAMES]
    if places:
        holder, key = random.choice(places)
        again = [node for node in _named(box) if node["name"] == holder[key]]
        if again:
            holder[key] = copy.deepcopy(again[0])
            if random.random() < 0.5:
                holder[key]["doc"] = "again"


def _define_later(random: Random, box: list[Schema]) -> None:
    """Let a name and its definition change places."""
    places = [(holder, key) for holder, key in _within(box) if holder[key] in NAMES]
    if places:
        holder, key = random.choice(places)
        for before, at in list(_within(box)):
            defined = before[at]
            inside = isinstance(defined, dict) and any(
                each is holder for each, _ in _within(defined)
            )
            if isinstance(defined, dict) and defined.get("name") == holder[key] and not inside:
                before[at], holder[key] = holder[key], defined
                return


def _refer(random: Random, box: list[Schema]) -> None:
    """Name a type wherever it may be: a record within itself, another's, or none."""
    if named := _named(box):
        holder, key = random.choice(list(_within(box)))
        name = random.choice(named)["name"]
        holder[key] = ["null", name] if random.random() < 0.6 else name


def _odd_name(random: Random, box: list[Schema]) -> None:
    holders = _named(box) + _fields(box)
    if holders:
        random.choice(holders)["name"] = random.choice(ODD_NAMES)


def _odd_symbol(random: Random, box: list[Schema]) -> None:
    for node in _nodes(box):
        if node["type"] == "enum":
            node["symbols"] = [*node["symbols"], random.choice(("a-b", "é", "1", "\U0001f600", ""))]


Decoration = Callable[[Random, list[Schema]], None]
USUAL: tuple[Decoration, ...] = (
    _space, _space, _alias, _alias, _alias_field, _order, _wrap, _logical, _error, _define_again,
    _define_later, _refer,
)  # fmt: skip
RARE: tuple[Decoration, ...] = (_default, _default_symbol, _property, _odd_name, _odd_symbol)


def decorate(random: Random, schema: Schema) -> Schema:
    """A copy of the schema with a few oddities; it may not be valid any more."""
    box = [copy.deepcopy(schema)]
    for _ in range(random.randint(1, 4)):
        random.choice(USUAL if random.random() < 0.75 else RARE)(random, box)
    return box[0]


def spoil(random: Random, text: str) -> str:
    """The text with one thing wrong, or odd, about it as JSON or as a schema."""
    at = random.randrange(len(text) + 1)
    choice = random.randrange(7)
    if choice == 0:
        return text[:at] + text[at + 1 :]
    if choice == 1:
        return text[:at] + random.choice('{}[],:"x 0\t\x00\\/') + text[at:]
    if choice == 2:
        return text[:at] + random.choice(("/* c */", "// c\n", "//", "/*", " ")) + text[at:]
    if choice == 3:
        return text + random.choice((" ", "\n", "\x00", "x", "{}", "/* c */", "// c", ","))
    return _spoil_value(random, json.loads(text))


def _spoil_value(random: Random, root: Any) -> str:
    """Replace, remove or repeat any one value of the JSON."""
    places: list[tuple[Any, Any]] = []
    waiting = [box := [root]]
    while waiting:
        holder: Any = waiting.pop()
        keys = range(len(holder)) if isinstance(holder, list) else list(holder)
        places += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    holder, key = random.choice(places)
    if random.random() < 0.3 and holder is not box:
        del holder[key]
    elif random.random() < 0.3 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = random.choice((*VALUES, "string", "record", "n0", ["null"], "fixed"))
    return json.dumps(box[0], ensure_ascii=random.random() < 0.5)
