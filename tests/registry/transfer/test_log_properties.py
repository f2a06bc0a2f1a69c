"""Any log that a registry writes folds to what it holds; no bytes and no fields are fatal."""

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.transfer.entries import Snapshot
from tests.registry.transfer.samples import essence
from tests.registry.transfer.test_log import Pair, folded, rewritten, schema


class Writer:
    """A registry that keeps a model of what it holds, and writes its log as Confluent's does."""

    def __init__(self) -> None:
        self.log: list[Pair] = []
        self.versions: dict[tuple[str, int], tuple[int, bool]] = {}
        self.configs: dict[str | None, str] = {}
        self.modes: dict[str | None, str] = {}
        self.next_id = 1

    def put(self, kind: str, value: Any, **place: Any) -> None:
        key = json.dumps({"keytype": kind, **place, "magic": int(kind == "SCHEMA")})
        self.log.append((key, None if value is None else json.dumps(value)))

    def write(self, subject: str, version: int) -> None:
        schema_id, deleted = self.versions[subject, version]
        self.log.append(schema(subject, version, schema_id, deleted=deleted))

    def register(self, subject: str) -> None:
        taken = [version for name, version in self.versions if name == subject]
        version = max(taken, default=0) + 1
        self.versions[subject, version] = self.next_id, False
        self.next_id += 1
        self.write(subject, version)

    def delete_version(self, subject: str) -> None:
        live = [
            key for key, (_, deleted) in self.versions.items() if key[0] == subject and not deleted
        ]
        if live:
            self.versions[live[0]] = self.versions[live[0]][0], True
            self.write(*live[0])

    def delete_subject(self, subject: str) -> None:
        live = [
            key for key, (_, deleted) in self.versions.items() if key[0] == subject and not deleted
        ]
        if not live:
            return
        last = max(version for _, version in live)
        for key, (schema_id, deleted) in self.versions.items():
            self.versions[key] = schema_id, deleted or key in live
        self.put("DELETE_SUBJECT", {"subject": subject, "version": last}, subject=subject)

    def delete_for_good(self, subject: str) -> None:
        mine = [key for key in self.versions if key[0] == subject]
        if mine and all(self.versions[key][1] for key in mine):
            for name, version in mine:
                del self.versions[name, version]
                self.put("SCHEMA", None, subject=name, version=version)

    def set_config(self, subject: str | None, level: str | None) -> None:
        self.configs.pop(subject, None)
        if level is not None:
            self.configs[subject] = level
        value = None if level is None else {"compatibilityLevel": level}
        self.put("CONFIG", value, subject=subject)

    def set_mode(self, subject: str | None, mode: str | None) -> None:
        self.modes.pop(subject, None)
        if mode is not None:
            self.modes[subject] = mode
        self.put("MODE", None if mode is None else {"mode": mode}, subject=subject)

    def holds(self) -> dict[str, Any]:
        def scope(name: str | None) -> str:
            return ":.:" if name is None else name

        return {
            "versions": sorted((*key, *value) for key, value in self.versions.items()),
            "configs": {
                scope(key): {"compatibilityLevel": level} for key, level in self.configs.items()
            },
            "modes": {scope(key): mode for key, mode in self.modes.items()},
        }


def held(found: Snapshot) -> dict[str, Any]:
    return {
        "versions": sorted(
            (str(each.subject), each.version, each.id, each.deleted) for each in found.versions
        ),
        "configs": found.configs,
        "modes": found.modes,
    }


subjects = st.sampled_from(["a", "b", ":.eu:a"])
scopes = st.sampled_from([None, "a", ":.eu:"])
operations = st.one_of(
    st.tuples(st.just("register"), subjects),
    st.tuples(st.just("register"), subjects),
    st.tuples(st.just("delete_version"), subjects),
    st.tuples(st.just("delete_subject"), subjects),
    st.tuples(st.just("delete_for_good"), subjects),
    st.tuples(st.just("set_config"), scopes, st.sampled_from([None, "FULL", "NONE"])),
    st.tuples(st.just("set_mode"), scopes, st.sampled_from([None, "IMPORT", "READONLY"])),
)
POISON: list[Pair] = [
    (None, "x"),
    ("{", "x"),
    ('{"keytype":"ODD"}', "{}"),
    ('{"keytype":"MODE"}', "7"),
]


def written(steps: list[tuple[Any, ...]]) -> Writer:
    writer = Writer()
    for name, *arguments in steps:
        getattr(writer, name)(*arguments)
    return writer


def compacted(log: list[Pair], until: int, chance: random.Random) -> list[Pair]:
    """The log with, before an offset, only the last value of each key; some tombstones are gone."""
    last = {key: offset for offset, (key, _) in enumerate(log)}
    return [
        (key, value)
        for offset, (key, value) in enumerate(log)
        if offset >= until or (last[key] == offset and (value is not None or chance.random() < 0.5))
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(operations, max_size=40))
def test_a_log_folds_to_what_its_registry_holds(steps: list[tuple[Any, ...]]) -> None:
    writer = written(steps)
    assert held(folded(*writer.log)) == writer.holds()


@settings(max_examples=300, deadline=None)
@given(st.lists(operations, max_size=40), st.integers(0, 40), st.randoms(use_true_random=False))
def test_compaction_changes_nothing(
    steps: list[tuple[Any, ...]], until: int, chance: random.Random
) -> None:
    writer = written(steps)
    assert held(folded(*compacted(writer.log, until, chance))) == writer.holds()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(operations, max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(POISON))),
)
def test_poison_anywhere_changes_nothing_else(
    steps: list[tuple[Any, ...]], poison: list[tuple[int, Pair]]
) -> None:
    writer = written(steps)
    log = list(writer.log)
    for place, pair in poison:
        log.insert(place, pair)
    found = folded(*log)
    assert held(found) == writer.holds()
    assert len(found.problems) == len(poison)


@settings(max_examples=200, deadline=None)
@given(st.lists(operations, max_size=40))
def test_what_is_written_folds_to_the_same(steps: list[tuple[Any, ...]]) -> None:
    found = folded(*written(steps).log)
    again = rewritten(found)
    assert essence(again) == essence(found)
    assert again.next_ids == found.next_ids


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=60) | st.none(), st.binary(max_size=60) | st.none())))
def test_no_bytes_are_fatal(pairs: list[Pair]) -> None:
    folded(*pairs)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
_fields = st.sampled_from([
    "subject",
    "version",
    "id",
    "schema",
    "schemaType",
    "references",
    "metadata",
    "ruleSet",
    "ts",
    "mode",
    "compatibilityLevel",
    "context",
    "nextIds",
    "deleted",
])
_kinds = st.sampled_from([
    "SCHEMA",
    "CONFIG",
    "MODE",
    "DELETE_SUBJECT",
    "CLEAR_SUBJECT",
    "CONTEXT",
    "NOOP",
])


@settings(max_examples=500, deadline=None)
@given(_kinds, st.dictionaries(_fields, _json), st.dictionaries(_fields, _json))
def test_no_fields_are_fatal(kind: str, key: dict[str, Any], value: dict[str, Any]) -> None:
    folded((json.dumps({"keytype": kind, **key}), json.dumps(value)))
