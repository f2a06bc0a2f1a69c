"""Which field each column of a copy holds, by its connector's definition and the schema."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from lineage.connectors.columns import Plan, SourceColumn
from lineage.connectors.definition import Definition, check
from lineage.connectors.errors import ConnectorError
from lineage.connectors.keying import RECORD_KEY
from lineage.connectors.mapping.avro import RECORD_TYPE
from lineage.connectors.models import Connector
from lineage.connectors.shaping import Shaper
from lineage.connectors.writers import writer_of
from lineage.derivations.flows import KEY, VALUE, ColumnSource, Flow, copied
from lineage.derivations.schemas import fields_at, parsed_at, paths

_PLACE = {
    "kafka_topic": "$topic",
    "kafka_partition": "$partition",
    "kafka_offset": "$offset",
    "kafka_timestamp": "$timestamp",
    "kafka_key": KEY,
}


_VERSION = {
    "kafka_partition": "$partition",
    "kafka_offset": "$offset",
    "valid_from": "$timestamp",
    "deleted": VALUE,
}


def flows_of_copy(name: str, topic: str, at: datetime | None) -> list[Flow]:
    """Return the flows from a topic's fields into a copy's columns.

    Connectors keep no history of their definitions: the one of today is read with the schema of
    `at`. Nothing for a copy that no connector of ours keeps.
    """
    connector = Connector.objects.select_related("cluster").filter(name=name).first()
    if connector is None or topic not in connector.topics:
        return []
    try:
        definition = check(_declared(connector))
    except ConnectorError:
        return []
    columns = list(columns_of(definition, _plan(topic, "value", at), _plan(topic, "key", at)))
    return list(copied(topic, name, columns, paths(fields_at(topic, at))))


def _declared(connector: Connector) -> dict[str, Any]:
    """Return the definition; its row says what an older one leaves out."""
    row: dict[str, Any] = {
        "name": connector.name,
        "topics": connector.topics,
        "target": connector.target,
        "table": connector.table,
        "mode": connector.mode,
    }
    return {**row, **connector.definition}


def _plan(topic: str, part: str, at: datetime | None) -> Plan | None:
    parsed = parsed_at(topic, part, at)
    return writer_of(parsed).plan if parsed is not None else None


def columns_of(
    definition: Definition, values: Plan | None, keys: Plan | None
) -> Iterator[ColumnSource]:
    """Yield where each column comes from; a key's column hides a value's field of its name."""
    rules = {rule.name: rule for rule in definition.columns.rules}
    leading = [
        replace(each, transformation=f"{each.transformation}, masked ({rules[each.column].mask})")
        if each.column in rules and rules[each.column].mask
        else each
        for each in _key_columns(definition, keys)
        if each.column not in rules or rules[each.column].kind != "drop"
    ]
    yield from leading
    taken = {each.column for each in leading}
    shaped = Shaper(definition).plan(values) if values else None
    for source in shaped.columns if shaped else ():
        if source.column.name not in taken:
            yield _column(source)


def _key_columns(definition: Definition, keys: Plan | None) -> Iterator[ColumnSource]:
    if definition.mode == "history":
        for column, place in _VERSION.items():
            yield ColumnSource(column, (place,), "place in the log")
    if definition.mode == "events":
        for column, place in _PLACE.items():
            yield ColumnSource(column, (place,), "place in the log")
    elif definition.key_format == "text" or keys is None:
        for column in definition.key or (RECORD_KEY,):
            yield ColumnSource(column, (KEY,), "record key")
    elif [source.path for source in keys.columns] == [("",)]:
        yield ColumnSource((definition.key or (RECORD_KEY,))[0], (KEY,), "record key")
    else:
        for source in keys.columns:
            if not definition.key or source.column.name in definition.key:
                path = ".".join((KEY, *source.path))
                yield ColumnSource(source.column.name, (path,), "record key")


def _column(source: SourceColumn) -> ColumnSource:
    name, path = source.column.name, ".".join(part for part in source.path if part)
    if source.uses is not None:
        paths = tuple(".".join(part for part in each if part) or VALUE for each in source.uses)
        return ColumnSource(name, paths, source.how)
    if source.how:
        return ColumnSource(name, (path or VALUE,), source.how)
    if source.path == (RECORD_TYPE,):
        return ColumnSource(name, (VALUE,), "name of the record")
    if not path:
        return ColumnSource(name, (VALUE,), "copied")
    if len(source.path) > 1 and name.startswith(source.path[0]):
        return ColumnSource(name, (path,), "flattened")
    words = "copied" if name == path else "renamed"
    return ColumnSource(
        name, (path,), f"{words} as JSON" if source.column.kind == "json" else words
    )
