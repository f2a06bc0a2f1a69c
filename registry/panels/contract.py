"""The data contract of a version: metadata, tags, rules, and what is bound to its subject."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from registry.data_contract import RULE_LISTS
from registry.entities import SchemaText
from registry.models import Association
from registry.naming import SubjectName

MOST_ROWS = 100
_LISTS = {"migrationRules": "migration", "domainRules": "domain", "encodingRules": "encoding"}


@dataclass(frozen=True)
class Property:
    """One metadata property; a sensitive one is for no log, which a page has no say in."""

    name: str
    value: str
    sensitive: bool


@dataclass(frozen=True)
class TaggedPath:
    """The tags that the metadata gives to the fields that a path selects."""

    path: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """One rule as its client will run it; `settings` are its parameters and reactions."""

    name: str
    group: str
    kind: str
    mode: str
    type: str
    expression: str
    doc: str
    tags: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    disabled: bool


@dataclass(frozen=True)
class Binding:
    """A resource whose keys or values the subject's schemas describe."""

    resource: str
    namespace: str
    type: str
    association: str
    lifecycle: str
    frozen: bool


@dataclass(frozen=True)
class Contract:
    """What a version says besides its schema; `cut` counts what is not shown."""

    properties: tuple[Property, ...]
    tags: tuple[TaggedPath, ...]
    rules: tuple[Rule, ...]
    cut: int = 0

    def __bool__(self) -> bool:
        return bool(self.properties or self.tags or self.rules)


def contract_of(schema: SchemaText) -> Contract:
    """Read the metadata and the rule set of a schema."""
    metadata = schema.metadata or {}
    sensitive = set(metadata.get("sensitive") or ())
    properties = [
        Property(name, value, name in sensitive)
        for name, value in (metadata.get("properties") or {}).items()
    ]
    tags = [TaggedPath(path, tuple(each)) for path, each in (metadata.get("tags") or {}).items()]
    rules = list(_rules(schema.ruleset or {}))
    cut = sum(max(0, len(each) - MOST_ROWS) for each in (properties, tags, rules))
    return Contract(
        tuple(properties[:MOST_ROWS]), tuple(tags[:MOST_ROWS]), tuple(rules[:MOST_ROWS]), cut
    )


def _rules(ruleset: Mapping[str, Any]) -> Iterator[Rule]:
    for group in RULE_LISTS:
        for rule in ruleset.get(group) or ():
            yield _rule(rule, _LISTS[group])


def _rule(rule: Mapping[str, Any], group: str) -> Rule:
    reactions = (("on success", rule.get("onSuccess")), ("on failure", rule.get("onFailure")))
    settings = [(name, str(value)) for name, value in reactions if value]
    settings += [(name, str(value)) for name, value in (rule.get("params") or {}).items()]
    return Rule(
        name=str(rule.get("name") or ""),
        group=group,
        kind=str(rule.get("kind") or ""),
        mode=str(rule.get("mode") or ""),
        type=str(rule.get("type") or ""),
        expression=str(rule.get("expr") or ""),
        doc=str(rule.get("doc") or ""),
        tags=tuple(rule.get("tags") or ()),
        settings=tuple(settings),
        disabled=bool(rule.get("disabled")),
    )


def bindings_of(name: SubjectName) -> list[Binding]:
    """The associations of a subject."""
    found = Association.objects.filter(subject=str(name)).order_by("resource_name", "pk")
    columns = ("resource_name", "resource_namespace", "resource_type", "association_type")
    rows = found.values_list(*columns, "lifecycle", "frozen")
    return [Binding(*row) for row in rows[:MOST_ROWS]]
