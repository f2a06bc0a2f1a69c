"""The columns of a copy by Connect's transformations: flatten, rename, drop, convert. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field

from lineage.connectors.columns import Column, Plan
from lineage.connectors.declared_columns import ColumnRule, ColumnRules
from lineage.connectors.shaping import places_of

_APACHE = "org.apache.kafka.connect.transforms."
Steps = dict[str, dict[str, str]]

# plain numbers to Avro's converters, by kind and digits of a second (KIP-808 names the unit)
_NUMBERS = {
    ("timestamptz", 6): ("Timestamp", "microseconds"),
    ("timestamp", 3): ("Timestamp", "milliseconds"),
    ("timestamp", 6): ("Timestamp", "microseconds"),
    ("time", 6): ("Time", "microseconds"),
}
_OTHERWISE = {
    "timestamptz": "timestamp without time zone, in UTC",
    "uuid": "text",
}


@dataclass
class Shaping:
    """Transformations in their order, and what they cannot do or do otherwise."""

    steps: Steps = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


@dataclass
class _Wishes:
    """What `columns` asks for, by transformation; names are those behind `Flatten`.

    `named` are the fields that any rule keeps, `only` whether the others are left out.
    """

    only: bool
    named: list[str] = field(default_factory=list)
    renames: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    redacted: list[str] = field(default_factory=list)

    def keeps(self, name: str) -> bool:
        """Whether a field stays."""
        return name not in self.dropped and (not self.only or name in self.named)


def shaped(
    plan: Plan | None, columns: ColumnRules, *, avro: bool, keys: Collection[str] = ()
) -> Shaping:
    """Return what brings values into the declared columns; `keys` are those of the record's key."""
    made = Shaping()
    wishes = _read(columns, plan, keys, made)
    made.dropped = wishes.dropped
    if plan and any(len(source.path) > 1 for source in plan.columns):
        made.steps["flatten"] = {"type": f"{_APACHE}Flatten$Value", "delimiter": "_"}
        made.refusals += [
            f"column {source.column.name}: Connect's Flatten would call it "
            f"{'_'.join(source.path)}, as another is called"
            for source in plan.columns
            if len(source.path) > 1 and source.column.name != "_".join(source.path)
        ]
    kept = [source.column for source in plan.columns] if plan else []
    kept = [column for column in kept if wishes.keeps(column.name)]
    if avro:
        _times(kept, made)
    _wish(wishes, made)
    _types(kept, made)
    return made


def _read(columns: ColumnRules, plan: Plan | None, keys: Collection[str], made: Shaping) -> _Wishes:
    wishes = _Wishes(columns.only)
    for rule in columns.rules:
        if rule.kind == "drop":
            wishes.dropped += _fields(rule.source, plan)
        elif rule.kind == "constant":
            wishes.constants[rule.name] = str(rule.constant)
            made.differences.append(f"column {rule.name}: a constant is written as text")
        elif rule.kind == "expression":
            made.refusals.append(_unsayable(rule, "expression", rule.source))
        else:
            _read_field(rule, plan, wishes, made)
            if rule.mask and rule.name in keys:
                made.refusals.append(f"column {rule.name}: the record's key cannot be masked")
    _hide(plan, wishes)
    return wishes


def _read_field(rule: ColumnRule, plan: Plan | None, wishes: _Wishes, made: Shaping) -> None:
    found = _fields(rule.source, plan)
    wishes.named += found
    if rule.flatten is not None:
        made.refusals.append(_unsayable(rule, "flatten", rule.flatten))
    elif len(found) > 1 and "_".join(rule.source.split(".")) != rule.name:
        made.refusals.append(
            f"column {rule.name}: from: {rule.source!r} is a record: name its fields"
        )
    elif len(found) == 1 and found != [rule.name]:
        wishes.renames[found[0]] = rule.name
    if rule.mask == "redact":
        wishes.redacted.append(rule.name)
        made.differences.append(f"column {rule.name}: redacted as the empty value of its type")
    elif rule.mask is not None:
        made.refusals.append(_unsayable(rule, "mask", rule.mask))


def _fields(name: str, plan: Plan | None) -> list[str]:
    """Return the fields that a path or a column's name means; a record's path means all of its."""
    found = [plan.columns[place].column.name for place in places_of(name, plan)] if plan else []
    return found or [name.replace(".", "_")]


def _hide(plan: Plan | None, wishes: _Wishes) -> None:
    """Leave out the fields whose names are given to others."""
    given = {*wishes.renames.values(), *wishes.constants}
    fields = {source.column.name for source in plan.columns} if plan else set()
    wishes.dropped += sorted((given & fields) - wishes.renames.keys() - {*wishes.dropped})


def _unsayable(rule: ColumnRule, option: str, value: object) -> str:
    return f"column {rule.name}: {option}: {value!r} cannot be said to Kafka Connect"


def _times(columns: list[Column], made: Shaping) -> None:
    """Make times of what Avro's converters hand on as plain numbers."""
    for column in columns:
        known = _NUMBERS.get((column.kind, column.precision))
        if known is None:
            continue
        made.steps[f"time_{column.name}"] = {
            "type": f"{_APACHE}TimestampConverter$Value",
            "field": column.name,
            "target.type": known[0],
            "unix.precision": known[1],
        }
        if known[1] == "microseconds":
            made.differences.append(f"column {column.name}: to the millisecond only")


def _wish(wishes: _Wishes, made: Shaping) -> None:
    replace = {
        "renames": ",".join(f"{old}:{new}" for old, new in wishes.renames.items()),
        "exclude": ",".join(wishes.dropped),
        "include": ",".join(wishes.named) if wishes.only else "",
    }
    if any(replace.values()):
        made.steps["columns"] = {"type": f"{_APACHE}ReplaceField$Value"} | {
            key: value for key, value in replace.items() if value
        }
    for name, value in wishes.constants.items():
        made.steps[f"constant_{name}"] = {
            "type": f"{_APACHE}InsertField$Value",
            "static.field": name,
            "static.value": value,
        }
    if wishes.redacted:
        made.steps["redact"] = {
            "type": f"{_APACHE}MaskField$Value",
            "fields": ",".join(wishes.redacted),
        }


def _types(columns: list[Column], made: Shaping) -> None:
    for column in columns:
        if column.kind == "json":
            made.refusals.append(
                f"column {column.name}: a map, a union of records or an array of records stops "
                "the sink; drop the column, or keep the copy with our own engine"
            )
        elif column.kind in _OTHERWISE:
            made.differences.append(
                f"column {column.name}: {_OTHERWISE[column.kind]}, where the sink makes the "
                f"table; a table that our own engine made keeps {column.kind}"
            )
