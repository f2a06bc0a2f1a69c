"""Check a definition before it runs: against the schemas that are registered, and other copies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from broker.records import Record
from lineage.connectors.actions import target_url
from lineage.connectors.columns import Column, Plan, describe
from lineage.connectors.definition import Definition, check
from lineage.connectors.errors import (
    ConnectorError,
    DefinitionInvalidError,
    PoisonRecordError,
    SinkError,
    TargetInvalidError,
    TargetUnsetError,
)
from lineage.connectors.keying import RECORD_KEY, keying_of
from lineage.connectors.models import Connector
from lineage.connectors.sessions import shaper_of
from lineage.connectors.shaping import Faults, Shaper, fields_of
from lineage.connectors.sinks import open_sink
from lineage.connectors.writers import writer_of
from registry.actions.reading import subject_version
from registry.models import Association, Version
from registry.naming import SubjectName
from registry.panels.fields import UNREADABLE, parsed_of


@dataclass(frozen=True)
class Fault:
    """What is wrong with a definition, at which of its keys (`columns.email`; empty: the whole)."""

    path: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class CheckedColumn:
    """A column that the copy would have: its type, which fields it comes from, and how."""

    name: str
    type: str
    fields: tuple[str, ...]
    how: str


@dataclass(frozen=True)
class Check:
    """What a definition would do: every fault, what is worth knowing, and the columns."""

    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    columns: tuple[CheckedColumn, ...]


class _KnownKey:
    """Stands in for a decoder where only the key's columns are asked for."""

    def __init__(self, plan: Plan | None) -> None:
        self._plan = plan

    def writer(self, record: Record) -> Any:
        """Decode no record."""
        raise AssertionError(record)

    def key(self, _raw: bytes) -> tuple[Plan, Any]:
        """Return the key's columns; raises PoisonRecordError where no schema is registered."""
        if self._plan is None:
            raise PoisonRecordError("no schema of its keys is registered")
        return self._plan, None


# where a leading column comes from that is not of the record's key
_SAYS = {
    "kafka_topic": "$topic",
    "kafka_partition": "$partition",
    "kafka_offset": "$offset",
    "kafka_timestamp": "$timestamp",
    "valid_from": "$timestamp",
    "deleted": "$value",
}
_RECORD = Record("", 0, 0, 0, b"", b"", None)


# -- against schemas ------------------------------------------------------------------------------
def check_against(
    definition: Definition, value: Plan | None, key: Plan | None
) -> tuple[list[Fault], list[CheckedColumn]]:
    """Return every fault that the schemas show, and the columns that the copy would have."""
    faults: list[Fault] = []
    if value is None:
        return faults, []
    shaper = Shaper(definition)
    keying = keying_of(definition, _KnownKey(key))
    try:
        leads, keys = keying.columns(_RECORD, shaper.plan(value))
    except PoisonRecordError as error:
        return [Fault(("key",), str(error))], []
    noted = Faults(frozenset(column.name for column in leads))
    plan = shaper.plan(value, noted)
    faults += [Fault(path, text) for path, text in noted.found]
    faults += _misplaced(definition, leads, keys)
    lead = [
        CheckedColumn(
            each.column.name,
            describe(each.column),
            ("$key" if definition.mode == "table" else _SAYS.get(each.column.name, "$key"),),
            "",
        )
        for each in shaper.lead(leads, keys)
        if each.kept
    ]
    own = {column.name for column in leads}
    if definition.mode != "table":
        faults += _hidden(plan, {each.name for each in lead})
    columns = lead + [
        CheckedColumn(
            source.column.name,
            describe(source.column),
            fields_of(source.path, source.uses),
            source.how,
        )
        for source in plan.columns
        if source.column.name not in own
    ]
    return faults, columns


def _hidden(plan: Plan, names: set[str]) -> Iterator[Fault]:
    for source in plan.columns:
        if source.column.name in names - {RECORD_KEY} and source.path == (source.column.name,):
            yield Fault(
                ("columns", source.column.name),
                f"the field {source.column.name} would be hidden by the column of that name: "
                "give it another name",
            )


def _misplaced(definition: Definition, leads: tuple[Column, ...], keys: int) -> Iterator[Fault]:
    """Find rules of leading columns that cannot be: they are masked, or left out if no key."""
    places = {column.name: index for index, column in enumerate(leads)}
    for rule in definition.columns.rules:
        if rule.name not in places:
            continue
        path = ("columns", rule.name)
        if rule.kind == "drop":
            if places[rule.name] < keys:
                yield Fault(path, "drop: it is the row's key")
        elif rule.kind != "field" or rule.flatten is not None:
            yield Fault(path, "is a leading column: it can only be masked")
        elif rule.source != rule.name and rule.name not in definition.key:
            yield Fault(path, "is a leading column: no field can be given its name")
        elif rule.mask and rule.name in _PLACE:
            yield Fault(path, "mask: it tells the place in the log")


_PLACE = frozenset({
    *("kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp"),
    *("valid_from", "deleted"),
})


def plan_of_topic(topic: str, part: str) -> Plan | None:
    """Return the columns of the newest schema of a topic's values or keys; None for none."""
    bound = Association.objects.filter(
        resource_name=topic, resource_type="topic", association_type=part
    )
    subject = bound.order_by("pk").values_list("subject", flat=True).first()
    name = SubjectName.read(subject or f"{topic}-{part}")
    rows = Version.objects.filter(
        subject__context__name=name.context, subject__name=name.name, deleted_at=None
    )
    row = rows.select_related("subject__context", "schema__context").order_by("version").last()
    if row is None:
        return None
    try:
        return writer_of(parsed_of(subject_version(row))).plan
    except UNREADABLE:
        return None


def schema_faults(definition: Definition) -> list[Fault]:
    """Return every fault that the schemas registered now show; none where there is none yet."""
    found: list[Fault] = []
    for topic in definition.topics:
        faults, _ = check_against(
            definition, plan_of_topic(topic, "value"), plan_of_topic(topic, "key")
        )
        found += [fault for fault in faults if fault not in found]
    return found


# -- all of it ------------------------------------------------------------------------------------
def check_declared(declared: Mapping[str, Any], *, reach: bool = False) -> Check:
    """Check a declaration without keeping it; with `reach` its target is opened too."""
    try:
        definition = check(declared)
    except DefinitionInvalidError as error:
        return Check(tuple(Fault(each.path, str(each)) for each in error.faults), (), ())
    faults: list[Fault] = []
    notes: list[str] = []
    columns: list[CheckedColumn] = []
    for topic in definition.topics:
        value = plan_of_topic(topic, "value")
        if value is None:
            notes.append(f"no schema of {topic}'s values is registered: columns are not checked")
        found, made = check_against(definition, value, plan_of_topic(topic, "key"))
        faults += [fault for fault in found if fault not in faults]
        known = {column.name for column in columns}
        columns += [column for column in made if column.name not in known]
    faults += _clashes(definition)
    faults += _target_faults(definition, notes, reach=reach)
    return Check(tuple(faults), tuple(notes), tuple(columns))


def _clashes(definition: Definition) -> Iterator[Fault]:
    """Find another connector that writes the same table."""
    others = Connector.objects.exclude(name=definition.name).filter(table=definition.table)
    for other in others:
        if _expanded(other.target) == _expanded(definition.target):
            yield Fault(("table",), f"{definition.table} is the table of connector {other.name}")


def _expanded(target: str) -> str:
    try:
        return target_url(target)
    except ConnectorError:
        return target


def _opens(url: str) -> bool:
    """Whether a target is there to be opened: the file of one that is not would only be made."""
    parts = urlsplit(url)
    return not parts.scheme.startswith("sqlite") or Path(unquote(parts.path[1:])).exists()


def _target_faults(definition: Definition, notes: list[str], *, reach: bool) -> Iterator[Fault]:
    try:
        url = target_url(definition.target)
        shaper_of(definition)
    except TargetUnsetError as error:
        notes.append(f"{error} here; the connectors worker may have it")
        return
    if not reach or not _opens(url):
        return
    try:
        sink = open_sink(url)
    except (SinkError, TargetInvalidError) as error:
        yield Fault(("target",), str(error))
        return
    try:
        if sink.live(definition.name) is None and sink.count(definition.table):
            notes.append(
                f"a table {definition.table} is there, and not of this connector's making: "
                "it would not be written; regenerate replaces it"
            )
    except SinkError as error:
        yield Fault(("target",), str(error))
    finally:
        sink.close()
