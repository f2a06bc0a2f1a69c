"""Declare connectors, change them, and forget them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from catalog.declaration import Change, FieldChange
from catalog.models import BoundedContext, Cluster, Service, Topic
from lineage.connectors.actions.hiding import hide_kept
from lineage.connectors.actions.reading import find_connector, own_setting
from lineage.connectors.definition import KEYS, Definition, check, holds_secret, redact, storable
from lineage.connectors.errors import DefinitionInvalidError, RunInProgressError
from lineage.connectors.models import Connector, Run

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MOST_FAULTS = 20
# what stands in for a key that is at fault, so that the others are judged too
_STAND_INS = {
    "name": "name",
    "topics": ["topic"],
    "target": "sqlite:///copy.sqlite3",
    "table": "copy",
}


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a declaration: at which key ('' for the whole), and what."""

    key: str
    message: str


def declare(declared: Mapping[str, Any]) -> Change:
    """Create or change a connector, and tell what changed; raises DefinitionInvalidError.

    A changed target, table, key, mode, start or shape of the columns makes another copy: it is
    stopped until regenerated.
    """
    definition = check(declared)
    _refuse_own_settings(definition)
    values = {
        "cluster": _cluster(definition),
        "context": _named(BoundedContext, "context", definition.context, definition),
        "service": _named(Service, "service", definition.service, definition),
        "topics": list(definition.topics),
        "target": definition.target,
        "table": definition.table,
        "mode": definition.mode,
        "definition": storable(declared),
    }
    with transaction.atomic():
        found = Connector.objects.select_for_update(of=("self",)).filter(name=definition.name)
        connector = found.first()
        if connector is None:
            Connector.objects.create(name=definition.name, **values)
            return Change("connector", definition.name, "created")
        changed = tuple(
            FieldChange(key, _shown(getattr(connector, key)), _shown(value))
            for key, value in values.items()
            if getattr(connector, key) != value
        )
        if not changed:
            return Change("connector", definition.name, "unchanged")
        if makes_another_copy(check(connector.definition), definition):
            values |= {
                "state": Connector.State.STOPPED,
                "message": "declared anew: regenerate to build the copy that is declared now",
                "trouble": "",
                "topic_ids": {},
            }
        found.update(**values)
        hide_kept(connector, definition)
    return Change("connector", definition.name, "changed", changed)


def declare_from_outside(name: str, declared: Mapping[str, Any]) -> Change:
    """Declare what a form or a request sent: its name is that of the address, and it may carry
    no password: what is stored here is shown, exported and backed up.
    """
    if declared.get("name", name) != name:
        raise DefinitionInvalidError(
            f"connector {name}: name: {declared['name']!r} is not the one of the address", "name"
        )
    definition = check({**declared, "name": name})
    refuse_password(definition)
    return declare({**declared, "name": name})


def refuse_password(definition: Definition) -> None:
    """Raise DefinitionInvalidError where a target holds a secret and not a reference to one."""
    if holds_secret(definition.target):
        raise DefinitionInvalidError(
            f"connector {definition.name}: target: holds a password. Set the whole URL, or the "
            "password, as a variable of the connectors worker and write ${NAME} for it, such as "
            "postgresql://user:${COPIES_PASSWORD}@host/database",
            "target",
        )


def _refuse_own_settings(definition: Definition) -> None:
    for name in _VARIABLE.findall(definition.target):
        if own_setting(name):
            raise DefinitionInvalidError(
                f"connector {definition.name}: target: {name} is a setting of the product itself; "
                "give the copies' database a variable of its own",
                "target",
            )


def faults_of(declared: Mapping[str, Any], *, outside: bool = True) -> list[Fault]:
    """Check a declaration without declaring it: every fault, not only the first."""
    attempt: dict[str, Any] = dict(declared)
    faults: list[Fault] = []
    while len(faults) < _MOST_FAULTS:
        try:
            definition = check(attempt)
            _refuse_own_settings(definition)
            if outside:
                refuse_password(definition)
            _cluster(definition)
            _named(BoundedContext, "context", definition.context, definition)
            _named(Service, "service", definition.service, definition)
        except DefinitionInvalidError as error:
            faults += [Fault(".".join(one.path), str(one)) for one in error.faults]
            stepped = [_step_over(attempt, one) for one in error.faults]
            if not all(stepped):
                break
        else:
            break
    return faults


def _step_over(attempt: dict[str, Any], error: DefinitionInvalidError) -> bool:
    """Put something right in the place of what is wrong; False where nothing more can be judged."""
    if error.path:
        key = error.path[0]
        if key in _STAND_INS and attempt.get(key) == _STAND_INS[key]:
            return False
        for unknown in [each for each in attempt if each not in KEYS]:
            del attempt[unknown]
        if key in _STAND_INS:
            attempt[key] = _STAND_INS[key]
        else:
            attempt.pop(key, None)
        return True
    missing = {key: value for key, value in _STAND_INS.items() if not attempt.get(key)}
    attempt |= missing
    return bool(missing)


def warnings_of(declared: Mapping[str, Any]) -> list[str]:
    """Tell what is no fault, and yet will keep the copy from being made."""
    cluster = declared.get("cluster") or settings.KAFKA_CLUSTER_NAME
    known = set(Topic.objects.filter(cluster__name=cluster, gone_at=None).values_list("name"))
    topics = declared.get("topics") or []
    return [
        f"Kafka has no topic {topic}, as far as the catalog knows"
        for topic in ([topics] if isinstance(topics, str) else topics)
        if known and (topic,) not in known
    ]


def forget(name: str) -> None:
    """Stop copying and forget the connector; its tables stay in the target, with their offsets.

    Declared again under the same name it goes on from there. Raises RunInProgressError.
    """
    connector = find_connector(name)
    with transaction.atomic():
        if Run.objects.filter(connector=connector, state=Run.State.RUNNING).exists():
            raise RunInProgressError(f"{name} has a run in progress: cancel it first")
        connector.delete()


def _shown(value: object) -> str:
    """Return a declared value fit to be shown."""
    if isinstance(value, dict):
        return str({key: redact(str(item)) for key, item in value.items()})
    return redact(value) if isinstance(value, str) else str(value)


def makes_another_copy(before: Definition, after: Definition) -> bool:
    """Whether what a table holds is not what is declared now."""
    shape = (
        *("topics", "target", "table", "mode", "key", "key_format", "cluster"),
        *("columns", "flatten", "start"),
    )
    return any(getattr(before, name) != getattr(after, name) for name in shape)


def _cluster(definition: Definition) -> Cluster:
    name = definition.cluster or settings.KAFKA_CLUSTER_NAME
    cluster = Cluster.objects.filter(name=name).first()
    if cluster is None:
        raise DefinitionInvalidError(
            f"connector {definition.name}: no cluster is named {name!r}",
            *(["cluster"] if definition.cluster else []),
        )
    return cluster


def _named(model: Any, kind: str, name: str | None, definition: Definition) -> Any:
    if name is None:
        return None
    found = model.objects.filter(name=name).first()
    if found is None:
        raise DefinitionInvalidError(
            f"connector {definition.name}: no {kind} is named {name!r}", kind
        )
    return found
