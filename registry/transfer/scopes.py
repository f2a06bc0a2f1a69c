"""Bringing configs and modes in: what is not set here is set, what differs is told or taken."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from registry.actions.scopes import DEFAULT_LEVEL, DEFAULT_MODE, GLOBAL_SCOPE
from registry.models import Config, Mode
from registry.naming import DEFAULT_CONTEXT, context_scope
from registry.transfer.entries import Snapshot
from registry.transfer.report import Outcome

_BATCH = 200
_DEFAULT_SCOPE = context_scope(DEFAULT_CONTEXT)


@dataclass(frozen=True)
class _Kind:
    """Configs or modes: the table and its column, what no row means, and how values are kept."""

    word: str
    model: type[Config] | type[Mode]
    column: str
    default: Any
    dump: Callable[[Any], str]
    load: Callable[[str], Any]
    compare: Callable[[Any, Any], str]


def _compare_configs(here: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    keys = [key for key in sorted({*here, *there}) if here.get(key) != there.get(key)]
    return "; ".join(
        f"{key} {_word(here.get(key))} here, {_word(there.get(key))} there" for key in keys
    )


def _word(value: Any) -> str:
    return "unset" if value is None else value if isinstance(value, str) else json.dumps(value)


_CONFIGS = _Kind(
    word="config",
    model=Config,
    column="values",
    default={"compatibilityLevel": DEFAULT_LEVEL},
    dump=json.dumps,
    load=json.loads,
    compare=_compare_configs,
)
_MODES = _Kind(
    word="mode",
    model=Mode,
    column="mode",
    default=DEFAULT_MODE,
    dump=str,
    load=str,
    compare="{} here, {} there".format,
)


def import_scopes(snapshot: Snapshot, *, write: bool, update: bool) -> Iterator[Outcome]:
    """Set the configs and modes that are not set here; with `update` also those that differ."""
    for kind, values in ((_CONFIGS, snapshot.configs), (_MODES, snapshot.modes)):
        items = sorted(values.items())
        overridable = GLOBAL_SCOPE in values
        for start in range(0, len(items), _BATCH):
            batch = _Batch(kind, items[start : start + _BATCH], overridable, update)
            yield from batch.apply() if write else batch.plan()


class _Batch:
    """Some scopes of one kind, compared with what is set here and, if wanted, written."""

    def __init__(
        self, kind: _Kind, items: Sequence[tuple[str, Any]], overridable: bool, update: bool
    ) -> None:
        self._kind = kind
        self._items = items
        self._overridable = overridable
        self._update = update
        self._writes: dict[str, Any] = {}

    def plan(self) -> list[Outcome]:
        """Say what is to become of each scope."""
        wanted = [scope for scope, _ in self._items]
        rows = self._kind.model.objects.filter(scope__in=[*wanted, GLOBAL_SCOPE])
        here = dict(rows.values_list("scope", self._kind.column))
        self._overridable = self._overridable or GLOBAL_SCOPE in here
        self._writes = {}
        return [self._decide(scope, value, here.get(scope)) for scope, value in self._items]

    def _decide(self, scope: str, there: Any, kept: str | None) -> Outcome:
        what = f"{self._kind.word} {'of all' if scope == _DEFAULT_SCOPE else scope}"
        if kept is None:
            if scope == _DEFAULT_SCOPE and there == self._kind.default and not self._overridable:
                # nothing set and the default set are one, as nothing lies between them
                return Outcome("equal", what)
            self._writes[scope] = there
            return Outcome("created", what)
        here = self._kind.load(kept)
        if here == there:
            return Outcome("equal", what)
        change = self._kind.compare(here, there)
        if not self._update:
            return Outcome("different", what, change)
        self._writes[scope] = there
        return Outcome("updated", what, change)

    def apply(self) -> list[Outcome]:
        """Write what is not here, and what differs if that is wanted."""
        outcomes = self.plan()
        if not self._writes:
            return outcomes
        with transaction.atomic():
            outcomes = self.plan()
            for scope, value in self._writes.items():
                defaults = {self._kind.column: self._kind.dump(value)}
                self._kind.model.objects.update_or_create(scope=scope, defaults=defaults)
        return outcomes
