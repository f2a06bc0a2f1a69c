"""From the columns that a schema gives to those that a definition declares. Pure.

A plan becomes another plan: fields renamed, dropped, masked, nested records left whole, constants
and expressions added. Leading columns (the key, the place in the log) can be masked, and left out
where they are no key.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lineage.connectors.columns import Column, Convert, Plan, SourceColumn, nested_json
from lineage.connectors.declared_columns import ColumnRule
from lineage.connectors.definition import DEEPEST, Definition
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.expressions import Compiled, ExpressionError, compiled
from lineage.connectors.masking import masked

MASKED_WITHOUT_SECRET = b"check only"


@dataclass
class Faults:
    """What is wrong with the declared columns, by the key of the definition.

    `leads` are the names of the leading columns, which no schema needs to have.
    """

    leads: frozenset[str] = frozenset()
    found: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def add(self, name: str, text: str) -> None:
        """Note a fault of a column."""
        self.found.append((("columns", name), text))


class Shaper:
    """Shapes plans as one definition declares; `secret` is what hashes are made with."""

    def __init__(self, definition: Definition, secret: bytes = MASKED_WITHOUT_SECRET) -> None:
        self._rules = definition.columns.rules
        self._only = definition.columns.only
        self._flatten = definition.flatten
        self._secret = secret
        self._kept_back: frozenset[tuple[str, ...]] = frozenset()

    @property
    def idle(self) -> bool:
        """Whether every plan stays as it is."""
        return not self._rules and not self._only and self._flatten >= DEEPEST

    def plan(self, plan: Plan, faults: Faults | None = None) -> Plan:
        """Return the declared columns; what a schema does not have is left out, and a fault."""
        if self.idle:
            return plan
        taken: dict[int, list[SourceColumn]] = {}
        extra: list[SourceColumn] = []
        self._kept_back = self._hidden(plan)
        leads = faults.leads if faults is not None else frozenset()
        for rule in self._rules:
            if rule.name in leads and rule.kind in {"field", "drop"}:
                continue
            try:
                self._apply(rule, plan, taken, extra, faults)
            except ExpressionError as error:
                if faults is not None:
                    faults.add(rule.name, f"expression: {error}")
                else:
                    extra.append(_failing(rule.name, str(error)))
        found = list(self._ordered(plan, taken))
        columns: dict[str, SourceColumn] = {}
        for each in [*found, *extra]:
            name = each.column.name
            if name in columns and faults is not None:
                faults.add(name, "two columns would have this name")
            columns[name] = each
        return Plan(tuple(columns.values()))

    def _hidden(self, plan: Plan) -> frozenset[tuple[str, ...]]:
        """Return the paths that no record left whole may show: masked or dropped elsewhere."""
        return frozenset(
            plan.columns[place].path
            for rule in self._rules
            if rule.kind == "drop" or (rule.kind == "field" and rule.mask is not None)
            for place in places_of(rule.source, plan)
        )

    def _apply(
        self,
        rule: ColumnRule,
        plan: Plan,
        taken: dict[int, list[SourceColumn]],
        extra: list[SourceColumn],
        faults: Faults | None,
    ) -> None:
        if rule.kind == "constant":
            extra.append(_constant(rule))
            return
        if rule.kind == "expression":
            extra += self._expression(rule, plan, faults)
            return
        places = places_of(rule.source, plan)
        if not places and faults is not None and rule.name != rule.source:
            faults.add(rule.name, f"from: the schema has no field {rule.source}")
        elif not places and faults is not None:
            faults.add(rule.name, "the schema has no field of this name")
        for place in places:
            taken.setdefault(place, [])
        if places and rule.kind == "field":
            sources = [plan.columns[place] for place in places]
            taken[places[0]] += self._field(rule, sources, faults)

    def _ordered(self, plan: Plan, taken: dict[int, list[SourceColumn]]) -> Iterator[SourceColumn]:
        """Yield the columns where their fields stand; a declared name hides a field's own."""
        declared = {rule.name for rule in self._rules if rule.kind != "drop"}
        rest: list[SourceColumn] = []
        for index, source in enumerate(plan.columns):
            if index in taken:
                yield from _collapsed(rest, self._flatten, self._kept_back)
                rest = []
                yield from taken[index]
            elif not self._only and source.column.name not in declared:
                rest.append(source)
        yield from _collapsed(rest, self._flatten, self._kept_back)

    # -- one column -------------------------------------------------------------------------------
    def _field(
        self, rule: ColumnRule, sources: list[SourceColumn], faults: Faults | None
    ) -> list[SourceColumn]:
        path = _path(rule.source)
        if len(sources) == 1 and (sources[0].path == path or sources[0].column.name == rule.source):
            (source,) = sources
            if rule.flatten == 0 and source.column.kind != "json":
                if faults is not None:
                    faults.add(rule.name, "as json: is no record")
                return []
            named = replace(source, column=replace(source.column, name=rule.name))
            return [self._masked(rule, named)]
        deepest = len(path) - 1
        depth = max(self._flatten, deepest) if rule.flatten is None else deepest + rule.flatten
        kept_back = frozenset() if rule.mask is not None else self._kept_back
        found = list(_collapsed(sources, depth, kept_back))
        if len(found) == 1 and found[0].path == path:
            named = replace(found[0], column=replace(found[0].column, name=rule.name))
            return [self._masked(rule, named)]
        if rule.mask is not None and faults is not None:
            faults.add(rule.name, "mask: is a record; mask its fields, or add as: json")
        prefix = "_".join(path)
        return [
            self._masked(rule, replace(each, column=replace(each.column, name=name)))
            for each in found
            for name in (rule.name + each.column.name.removeprefix(prefix),)
        ]

    def _masked(self, rule: ColumnRule, source: SourceColumn) -> SourceColumn:
        if rule.mask is None:
            return source
        hide = masked(rule.mask, source.column.kind, self._secret)
        return replace(
            source,
            column=Column(source.column.name, "text"),
            convert=_chained(source.convert, hide),
            how=f"masked ({rule.mask})",
        )

    def _expression(
        self, rule: ColumnRule, plan: Plan, faults: Faults | None
    ) -> Iterator[SourceColumn]:
        made = compiled(rule.source, plan)
        if faults is not None:
            for name in made.missing:
                faults.add(rule.name, f"expression: the schema has no field {name}")
        if made.type is None:
            return  # null, and of no type: another schema's values will tell
        column = replace(made.type, name=rule.name)
        source = SourceColumn(column, (), _told(rule.name, made), made.uses, "expression")
        yield self._masked(rule, source)

    # -- leading columns --------------------------------------------------------------------------
    def lead(self, columns: Iterable[Column], keys: int) -> "list[Lead]":
        """Return what becomes of leading columns; one that is a key is never left out."""
        rules = {rule.name: rule for rule in self._rules}
        found = []
        for index, column in enumerate(columns):
            rule = rules.get(column.name)
            drop = index >= keys and rule is not None and rule.kind == "drop"
            mask = rule.mask if rule is not None and rule.kind == "field" else None
            hide = masked(mask, column.kind, self._secret) if mask else None
            found.append(Lead(Column(column.name, "text") if hide else column, not drop, hide))
        return found


@dataclass(frozen=True)
class Lead:
    """A leading column: whether it is kept, and what hides its value."""

    column: Column
    kept: bool
    hide: Convert | None


def fields_of(path: tuple[str, ...], uses: tuple[tuple[str, ...], ...] | None) -> tuple[str, ...]:
    """Return the dotted paths of the fields that a column is made from."""
    paths = (path,) if uses is None else uses
    return tuple(".".join(part for part in each if part) or "$value" for each in paths)


def _path(name: str) -> tuple[str, ...]:
    return tuple(name.split("."))


def places_of(name: str, plan: Plan) -> list[int]:
    """Find a field by its path, else by its column, else all fields of a record."""
    path = _path(name)
    columns = list(enumerate(plan.columns))
    exact = [index for index, each in columns if each.path == path]
    if exact:
        return exact
    named = [index for index, each in columns if each.column.name == name]
    return named or [index for index, each in columns if each.path[: len(path)] == path]


def _collapsed(
    sources: Iterable[SourceColumn], depth: int, kept_back: frozenset[tuple[str, ...]]
) -> Iterator[SourceColumn]:
    """Take records apart down to a depth, and leave what lies deeper in a column of JSON.

    The fields that are kept back are not in it.
    """
    seen: set[tuple[str, ...]] = set()
    for source in sources:
        path = source.path[: depth + 1]
        if path == source.path:
            yield source
        elif path not in seen:
            seen.add(path)
            within = {each[len(path) :] for each in kept_back if each[: len(path)] == path}
            convert = _json_without(within) if within else nested_json
            yield SourceColumn(Column("_".join(path), "json"), path, convert)


def _json_without(paths: Collection[tuple[str, ...]]) -> Convert:
    return lambda value: nested_json(_without(value, paths))


def _without(value: Any, paths: Collection[tuple[str, ...]]) -> Any:
    """Return a record without the fields at these paths."""
    if isinstance(value, tuple):  # of a union: its name, and the record
        return (value[0], _without(value[1], paths))
    if not isinstance(value, dict):
        return value
    gone = {path[0] for path in paths if len(path) == 1}
    return {
        name: _without(item, [path[1:] for path in paths if len(path) > 1 and path[0] == name])
        for name, item in value.items()
        if name not in gone
    }


def _chained(first: Convert | None, second: Convert) -> Convert:
    if first is None:
        return second

    def convert(value: object) -> object:
        found = first(value)
        return None if found is None else second(found)

    return convert


def _constant(rule: ColumnRule) -> SourceColumn:
    value = rule.constant
    match value:
        case bool():
            column = Column(rule.name, "boolean")
        case int():
            column = Column(rule.name, "bigint")
        case float():
            column = Column(rule.name, "double")
        case _:
            column = Column(rule.name, "text")
    return SourceColumn(column, (), lambda _record: value, (), "constant")


def _told(name: str, made: Compiled) -> Convert:
    evaluate = made.evaluate

    def convert(record: object) -> object:
        try:
            return evaluate(record)
        except ExpressionError as error:
            raise PoisonRecordError(f"column {name}: {error}") from None

    return convert


def _failing(name: str, fault: str) -> SourceColumn:
    """Return a column that no record of a schema can fill: its types do not go together."""

    def convert(_record: object) -> object:
        raise PoisonRecordError(f"column {name}: {fault}")

    return SourceColumn(Column(name, "text"), (), convert, (), "expression")


def only_moved(before: Plan, after: Plan) -> bool:
    """Whether columns were renamed and left out at most: a reader of its own can do no more."""
    known = {source.path: source for source in before.columns}
    return all(
        source.path in known
        and source.convert is known[source.path].convert
        and source.column.kind == known[source.path].column.kind
        for source in after.columns
    )
