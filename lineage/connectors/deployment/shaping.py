"""The columns of a copy by Connect's transformations: flatten, rename, drop, convert. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lineage.connectors.columns import Column, Plan

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


@dataclass
class _Wishes:
    """What `columns` asks for, by transformation."""

    renames: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    redacted: list[str] = field(default_factory=list)


def shaped(plan: Plan | None, columns: Mapping[str, Any], *, avro: bool) -> Shaping:
    """Return what brings values into the declared columns; `columns` as it is written down."""
    made = Shaping()
    wishes = _read(columns, made)
    if plan and any(len(source.path) > 1 for source in plan.columns):
        made.steps["flatten"] = {"type": f"{_APACHE}Flatten$Value", "delimiter": "_"}
        made.refusals += [
            f"column {source.column.name}: Connect's Flatten would call it "
            f"{'_'.join(source.path)}, as another is called"
            for source in plan.columns
            if len(source.path) > 1 and source.column.name != "_".join(source.path)
        ]
    kept = [source.column for source in plan.columns] if plan else []
    kept = [column for column in kept if column.name not in wishes.dropped]
    if avro:
        _times(kept, made)
    _wish(wishes, made)
    _types(kept, made)
    return made


def _read(columns: Mapping[str, Any], made: Shaping) -> _Wishes:
    wishes = _Wishes()
    for name, wish in columns.items():
        if wish == "drop":
            wishes.dropped.append(name)
        elif isinstance(wish, Mapping):
            _read_one(name, dict(wish), wishes, made)
        else:
            made.refusals.append(f"column {name}: {wish!r} has no like among the transformations")
    return wishes


def _read_one(name: str, wish: dict[str, Any], wishes: _Wishes, made: Shaping) -> None:
    if "from" in wish:
        source = str(wish.pop("from")).replace(".", "_")
        if source != name:
            wishes.renames[source] = name
    if "constant" in wish:
        wishes.constants[name] = str(wish.pop("constant"))
        made.differences.append(f"column {name}: a constant is written as text")
    if wish.get("mask") == "redact":
        del wish["mask"]
        wishes.redacted.append(name)
        made.differences.append(f"column {name}: redacted as the empty value of its type")
    for key, value in wish.items():
        made.refusals.append(f"column {name}: {key}: {value!r} cannot be said to Kafka Connect")


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
