"""Random Avro schemas, and pairs in which one is a small change of the other.

Seeded and not Hypothesis': twenty thousand pairs go to the Java library in one batch.
"""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

Schema = Any
Decorate = Callable[[Random, Schema], Schema]

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
SYMBOLS = ("A", "B", "C", "D", "E")
NAMES = ("n0", "n1", "n2", "n3")
LOGICAL: tuple[Schema, ...] = (
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "string", "logicalType": "uuid"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
)
DEFAULTS: dict[str, Any] = {
    "null": None, "boolean": True, "int": 7, "long": 70, "float": 1.5, "double": 2.5,
    "bytes": "\u00ff", "string": "s",
}  # fmt: skip


class Maker:
    """Makes one schema; a name is defined at most once and may then be referred to."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.defined: list[str] = []
        self.open_records: list[str] = []

    def make(self, depth: int) -> Schema:
        """Any schema, at most `depth` levels deep."""
        random = self.random
        makers: list[Callable[[int], Schema]] = [self._primitive, self._primitive, self._primitive]
        if depth > 0:
            makers += [self.record, self.record, self._array, self._map, self._union]
        makers += [self._enum, self._fixed, self._named]
        return random.choice(makers)(depth)

    def _primitive(self, _depth: int) -> Schema:
        if self.random.random() < 0.12:
            return copy.deepcopy(self.random.choice(LOGICAL))
        return self.random.choice(PRIMITIVES)

    def _array(self, depth: int) -> Schema:
        return {"type": "array", "items": self.make(depth - 1)}

    def _map(self, depth: int) -> Schema:
        return {"type": "map", "values": self.make(depth - 1)}

    def _union(self, depth: int) -> Schema:
        branches: list[Schema] = []
        kinds: set[str] = set()
        for _ in range(self.random.randint(1, 4)):
            branch = self.make(depth - 1)
            kind = kind_of(branch)
            if kind == "union" or kind in kinds:
                continue
            kinds.add(kind)
            branches.append(branch)
        return branches or ["null"]

    def _name(self) -> str | None:
        free = [name for name in NAMES if name not in self.defined]
        if not free:
            return None
        name = self.random.choice(free)
        self.defined.append(name)
        return name

    def _named(self, depth: int) -> Schema:
        known = [name for name in self.defined if self.random.random() < 0.7]
        return self.random.choice(known) if known and depth < 3 else self._primitive(depth)

    def _enum(self, depth: int) -> Schema:
        name = self._name()
        if name is None:
            return self._primitive(depth)
        symbols = self.random.sample(SYMBOLS, self.random.randint(1, 4))
        made: Schema = {"type": "enum", "name": name, "symbols": symbols}
        if self.random.random() < 0.3:
            made["default"] = self.random.choice(symbols)
        return self._aliased(made)

    def _fixed(self, depth: int) -> Schema:
        name = self._name()
        if name is None:
            return self._primitive(depth)
        return self._aliased({"type": "fixed", "name": name, "size": self.random.randint(1, 4)})

    def _aliased(self, made: Schema) -> Schema:
        if self.random.random() < 0.15:
            made["aliases"] = [self.random.choice(NAMES) + "x"]
        if self.random.random() < 0.2:
            made["namespace"] = self.random.choice(("p", "q.r"))
            self.defined[-1:] = []
        return made

    def record(self, depth: int) -> Schema:
        """A record, or a primitive when no name is left."""
        name = self._name()
        if name is None:
            return self._primitive(depth)
        fields = []
        for index in range(self.random.randint(0, 4)):
            declared: Schema = {"name": f"f{index}", "type": self.make(depth - 1)}
            self._give_default(declared)
            fields.append(declared)
        made: Schema = {"type": "record", "name": name, "fields": fields}
        return made

    def _give_default(self, declared: Schema) -> None:
        if self.random.random() < 0.45:
            found, value = default_of(declared["type"])
            if found:
                declared["default"] = value


def kind_of(schema: Schema) -> str:
    """What makes two branches of a union the same: the type, or a named type's full name."""
    if isinstance(schema, list):
        return "union"
    if isinstance(schema, str):
        return schema
    if not isinstance(schema, dict) or "type" not in schema:
        return repr(schema)
    if isinstance(schema["type"], list | dict):
        return kind_of(schema["type"])
    if "name" in schema:
        space = schema.get("namespace")
        return f"{space}.{schema['name']}" if space else str(schema["name"])
    return str(schema["type"])


def default_of(schema: Schema) -> tuple[bool, Any]:
    """A valid default for the schema, where one is easily said."""
    if isinstance(schema, list):
        return default_of(schema[0])
    if isinstance(schema, str):
        return (schema in DEFAULTS, DEFAULTS.get(schema))
    match schema["type"]:
        case "array":
            return True, []
        case "map":
            return True, {}
        case "enum":
            return True, schema["symbols"][0]
        case "fixed":
            return True, "\u0000" * schema["size"]
        case "record":
            return (not schema["fields"], {})
    return default_of(schema["type"])


def make_schema(random: Random) -> Schema:
    """One random schema; a record as often as anything else."""
    maker, depth = Maker(random), random.randint(0, 3)
    return maker.record(depth) if depth and random.random() < 0.5 else maker.make(depth)


def _setter(holder: Any, key: int | str) -> Callable[[Schema], None]:
    def put(new: Schema) -> None:
        holder[key] = new

    return put


def _places(
    schema: Schema, replace: Callable[[Schema], None]
) -> list[tuple[Schema, Callable[[Schema], None]]]:
    """Every schema inside this one, each with the way to put another in its place."""
    found = [(schema, replace)]
    if isinstance(schema, list):
        for index, branch in enumerate(schema):
            found += _places(branch, _setter(schema, index))
    elif isinstance(schema, dict):
        for key in ("items", "values"):
            if key in schema:
                found += _places(schema[key], _setter(schema, key))
        for declared in schema.get("fields", ()):
            found += _places(declared["type"], _setter(declared, "type"))
    return found


def _change_record(random: Random, schema: Schema) -> None:
    fields = schema["fields"]
    choice = random.randrange(5)
    if choice == 0 and fields:
        fields.pop(random.randrange(len(fields)))
    elif choice == 1:
        added: Schema = {"name": f"g{random.randrange(3)}", "type": random.choice(PRIMITIVES)}
        if random.random() < 0.5:
            added["default"] = DEFAULTS[added["type"]]
        if added["name"] not in {declared["name"] for declared in fields}:
            fields.insert(random.randint(0, len(fields)), added)
    elif choice == 2 and fields:
        renamed = random.choice(fields)
        if random.random() < 0.6:
            renamed["aliases"] = [renamed["name"]]
        renamed["name"] = "h" + renamed["name"]
    elif choice == 3 and fields:
        random.choice(fields).pop("default", None)
    else:
        random.shuffle(fields)


def _change_enum(random: Random, schema: Schema) -> None:
    symbols = random.sample(SYMBOLS, random.randint(1, 5))
    schema["symbols"] = symbols
    if schema.get("default") not in symbols:
        schema.pop("default", None)
    if random.random() < 0.4:
        schema["default"] = random.choice(symbols)


def _change_union(random: Random, schema: Schema) -> None:
    new = random.choice(PRIMITIVES)
    if random.random() < 0.5 and len(schema) > 1:
        schema.pop(random.randrange(len(schema)))
    elif new not in {kind_of(branch) for branch in schema}:
        schema.insert(random.randint(0, len(schema)), new)


def _rename(random: Random, schema: Schema) -> None:
    old = schema["name"]
    schema["name"] = "z" + old
    if random.random() < 0.5:
        schema["aliases"] = [old]


def _resize(random: Random, schema: Schema) -> None:
    schema["size"] = random.randint(1, 4)


INSIDE = {"record": _change_record, "enum": _change_enum, "fixed": _resize, "union": _change_union}


def _change(random: Random, schema: Schema, replace: Callable[[Schema], None]) -> None:
    named = isinstance(schema, dict) and "name" in schema
    kind = "union" if isinstance(schema, list) else schema["type"] if named else ""
    kind = "record" if kind == "error" else kind
    if kind in INSIDE and random.random() < 0.7:
        INSIDE[kind](random, schema)
    elif named:
        _rename(random, schema)
    elif random.random() < 0.3 and kind != "union" and schema != "null":
        replace(["null", schema])
    else:
        replace(random.choice(PRIMITIVES))


def make_pair(random: Random, decorate: Decorate) -> tuple[Schema, Schema]:
    """A reader and a writer: unrelated now and then, else a few small changes apart."""
    writer = make_schema(random)
    if random.random() < 0.5:
        writer = decorate(random, writer)
    if random.random() < 0.1:
        return make_schema(random), writer
    box = [copy.deepcopy(writer)]
    for _ in range(random.randint(1, 3)):
        _change(random, *random.choice(_places(box[0], _setter(box, 0))))
    reader = decorate(random, box[0]) if random.random() < 0.4 else box[0]
    return (reader, writer) if random.random() < 0.5 else (writer, reader)
