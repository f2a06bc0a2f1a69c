"""A `_schemas` log folds to what its registry holds, also compacted and with poison in it."""

import json
from typing import Any

import pytest

from registry.identity import Reference
from registry.naming import SubjectName
from registry.transfer.entries import Snapshot
from registry.transfer.log import LogRecord, fold, records_of
from tests.registry.transfer.samples import at, entry, ids, snapshot

Pair = tuple[str | bytes | None, str | bytes | None]


def raw(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data


def folded(*pairs: Pair) -> Snapshot:
    return fold(
        LogRecord(offset, 1_700_000_000_000 + offset, raw(key), raw(value))
        for offset, (key, value) in enumerate(pairs)
    )


def reasons(found: Snapshot) -> list[str]:
    return [problem.reason for problem in found.problems]


# -- records as the peers write them ---------------------------------------------------------------
MD5 = "q7cp2mW6X6ddXxwXeuXW6w=="
RULES = '{"domainRules":[{"name":"r","type":"CEL"}]}'
CONFLUENT: list[Pair] = [
    ('{"keytype":"NOOP","magic":0}', None),
    ('{"keytype":"CONFIG","subject":null,"magic":0}', '{"compatibilityLevel":"FULL"}'),
    (
        '{"keytype":"SCHEMA","subject":"a","version":1,"magic":1}',
        f"""{{"subject":"a","version":1,"id":1,"md5":"{MD5}",
        "schema":"\\"string\\"","deleted":false}}""",
    ),
    (
        '{"keytype":"SCHEMA","subject":"p","version":1,"magic":1}',
        f"""{{"subject":"p","version":1,"id":2,"schemaType":"PROTOBUF",
        "references":[{{"name":"a.proto","subject":"q","version":3}}],
        "metadata":{{"properties":{{"owner":"x"}}}},"ruleSet":{RULES},
        "schema":"syntax = \\"proto3\\";","deleted":false,"ts":1700000000555}}""",
    ),
    (
        '{"keytype":"CONTEXT","tenant":"default","context":".eu","magic":0}',
        '{"tenant":"default","context":".eu"}',
    ),
    (
        '{"keytype":"SCHEMA","subject":":.eu:a","version":1,"magic":1}',
        '{"subject":":.eu:a","version":1,"id":1,"schema":"\\"int\\"","deleted":false}',
    ),
    (
        '{"keytype":"CONFIG","subject":"a","magic":0}',
        '{"subject":"a","alias":"b","normalize":true,"compatibilityLevel":"NONE"}',
    ),
    ('{"keytype":"MODE","subject":null,"magic":0}', '{"mode":"READONLY"}'),
    ('{"keytype":"MODE","subject":":.eu:","magic":0}', '{"subject":":.eu:","mode":"IMPORT"}'),
    ('{"keytype":"DELETE_SUBJECT","subject":"a","magic":0}', '{"subject":"a","version":1}'),
]


def test_what_confluents_registry_writes() -> None:
    found = folded(*CONFLUENT)
    assert found.problems == []
    by_name = {str(each.subject): each for each in found.versions}
    assert (by_name["a"].id, by_name["a"].text, by_name["a"].deleted) == (1, '"string"', True)
    assert by_name["a"].registered_at == at(1_700_000_000_002)
    assert by_name["p"].format == "PROTOBUF"
    assert by_name["p"].references == (Reference("a.proto", "q", 3),)
    assert by_name["p"].metadata == {"properties": {"owner": "x"}}
    assert by_name["p"].ruleset is not None
    assert by_name["p"].registered_at == at(1_700_000_000_555)
    assert by_name[":.eu:a"].subject == SubjectName(".eu", "a")
    assert found.configs == {
        ":.:": {"compatibilityLevel": "FULL"},
        "a": {"compatibilityLevel": "NONE", "alias": "b", "normalize": True},
    }
    assert found.modes == {":.:": "READONLY", ":.eu:": "IMPORT"}
    assert found.next_ids == {".": 3, ".eu": 2}


def test_what_karapace_writes() -> None:
    found = folded(
        (
            '{"subject":"s","version":1,"magic":1,"keytype":"SCHEMA"}',
            '{"subject": "s", "version": 1, "id": 4, "schema": "\\"string\\"", "deleted": true}',
        ),
        ('{"subject":null,"magic":0,"keytype":"CONFIG"}', '{"compatibilityLevel":"NONE"}'),
        (
            '{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}',
            '{"subject":"t","version":1,"id":5,"schemaType":"JSON","schema":"{}","deleted":false}',
        ),
        ('{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}', ""),
        ('{"keytype":"CONFIG","subject":null,"magic":0}', b'""'),
    )
    assert [(each.id, each.deleted) for each in found.versions] == [(4, True)]
    assert found.configs == {}
    assert found.tombstones == {(SubjectName.read("t"), 1)}
    assert (found.next_ids, found.problems) == ({".": 6}, [])


def schema(subject: str, version: int, schema_id: int, **more: Any) -> Pair:
    place = {"subject": subject, "version": version}
    value = {**place, "id": schema_id, "schema": '"string"', "deleted": False, **more}
    return json.dumps({"keytype": "SCHEMA", **place, "magic": 1}), json.dumps(value)


DELETE_A2 = ('{"keytype":"DELETE_SUBJECT","subject":"a","magic":0}', '{"subject":"a","version":2}')
CLEAR_A = ('{"keytype":"CLEAR_SUBJECT","subject":"a","magic":0}', '{"subject":"a"}')
CLEAR_EU = ('{"keytype":"CLEAR_SUBJECT","subject":":.eu:","magic":0}', '{"subject":":.eu:"}')
CLEAR_ALL = ('{"keytype":"CLEAR_SUBJECT","subject":null,"magic":0}', "{}")


def live_and_deleted(*pairs: Pair) -> tuple[list[int], list[int]]:
    found = folded(*pairs)
    assert found.problems == []
    return (
        ids(each for each in found.versions if not each.deleted),
        ids(each for each in found.versions if each.deleted),
    )


def test_a_subject_is_deleted_up_to_a_version() -> None:
    both = schema("a", 1, 1), schema("a", 2, 2)
    assert live_and_deleted(*both, DELETE_A2, schema("a", 3, 3)) == ([3], [1, 2])
    assert live_and_deleted(*both, schema("a", 3, 3), DELETE_A2, schema("b", 1, 4)) == (
        [3, 4],
        [1, 2],
    )


def test_a_version_written_again_after_its_deletion_lives() -> None:
    assert live_and_deleted(schema("a", 1, 1), DELETE_A2, schema("a", 1, 1)) == ([1], [])


def test_clearing_forgets_what_is_deleted() -> None:
    deleted = schema("a", 1, 1, deleted=True), schema("a", 2, 2), schema("b", 1, 3, deleted=True)
    assert live_and_deleted(*deleted, CLEAR_A) == ([2], [3])
    assert live_and_deleted(*deleted, CLEAR_ALL) == ([2], [])
    elsewhere = schema(":.eu:a", 1, 1, deleted=True)
    assert live_and_deleted(*deleted, elsewhere, CLEAR_EU) == ([2], [1, 3])


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ((None, b"{}"), "its key is not JSON"),
        ((b"\xff\xfe", b"{}"), "its key is not JSON"),
        (("[1]", "{}"), "its key is not a JSON object"),
        (("[" * 100_000, "{}"), "its key is not JSON"),
        (('{"magic":1}', "{}"), "records of keytype None are not known"),
        (('{"keytype":"EXPORTER"}', "{}"), "records of keytype 'EXPORTER' are not known"),
        (('{"keytype":["SCHEMA"]}', "{}"), "not known"),
        ((schema("a", 1, 1)[0], "{"), "its value is not JSON"),
        ((schema("a", 1, 1)[0], b"\x00\x00\x00\x00\x01"), "its value is not JSON"),
        ((schema("a", 1, 1)[0], "7"), "its value is not a JSON object"),
        ((schema("a", 1, 1)[0], schema("b", 1, 1)[1]), "the key names a version 1, the value b"),
        (schema("a", 0, 1), "version is not a number"),
        (schema("a", 1, -1), "id is not a number"),
        (schema("a", 1, 2**31), "id is not a number"),
        (schema("a", True, 1), "version is not a number"),
        (schema("a", 1, 1, schema=""), "no schema text"),
        (schema("a", 1, 1, schema=None), "schema is not text"),
        (schema("a", 1, 1, schema="\ud800"), "lone surrogate"),
        (schema("a", 1, 1, schema="\0"), "NUL"),
        (schema("__GLOBAL", 1, 1), "'__GLOBAL' is not a valid subject"),
        (schema("a" * 700, 1, 1), "not a valid subject"),
        (schema("a", 1, 1, references="x"), "references are not"),
        (schema("a", 1, 1, references=[{"name": "n"}]), "subject is not text"),
        (schema("a", 1, 1, metadata=7), "metadata is an object"),
        (schema("a", 1, 1, metadata={"properties": {"__enc__": "x"}}), "encrypted"),
        (schema("a", 1, 1, ruleSet={"domainRules": [{}]}), "Empty rule name"),
        (('{"keytype":"CONTEXT","context":7}', "{}"), "context is not text"),
        (('{"keytype":"CONTEXT","context":"a\\u0000"}', "{}"), "not a valid context"),
        (('{"keytype":"NOOP"}', json.dumps({"nextIds": {"x" * 300: 1}})), "not a valid context"),
        (('{"keytype":"NOOP"}', '{"nextIds":{".":0}}'), ". is not a number"),
        (('{"keytype":"CONFIG","subject":null}', '{"compatibilityLevel":"ODD"}'), "Invalid compat"),
        (('{"keytype":"CONFIG","subject":7}', "{}"), "subject is not text"),
        (('{"keytype":"MODE","subject":null}', '{"mode":"ODD"}'), "'ODD' is no mode"),
        (('{"keytype":"MODE","subject":"a\\u0007"}', '{"mode":"IMPORT"}'), "not a valid subject"),
        (('{"keytype":"DELETE_SUBJECT","subject":"a"}', '{"subject":"a"}'), "version is not"),
        (('{"keytype":"DELETE_SUBJECT","subject":"a"}', '{"version":1}'), "subject is not text"),
    ],
)
def test_a_poison_record_is_told_and_passed_over(pair: Pair, reason: str) -> None:
    found = folded(schema("good", 1, 1), pair, schema("good", 2, 2))
    assert ids(found.versions) == [1, 2]
    (problem,) = found.problems
    assert problem.where.startswith("record at offset 1")
    assert reason in problem.reason


def test_ids_of_poison_records_count_as_given_out() -> None:
    assert folded(schema("a", 1, 50, schema="")).next_ids == {".": 51}


def test_records_without_value_of_what_never_was_are_nothing() -> None:
    kinds = ("SCHEMA", "CONFIG", "MODE", "DELETE_SUBJECT", "CLEAR_SUBJECT", "CONTEXT", "NOOP")
    for kind in kinds:
        key = {"keytype": kind, "subject": "a", "version": 1, "context": ".x", "magic": 1}
        found = folded((json.dumps(key), None))
        assert (found.versions, found.problems, found.configs, found.modes) == ([], [], {}, {})


# -- writing ---------------------------------------------------------------------------------------
def rewritten(found: Snapshot) -> Snapshot:
    records = enumerate(records_of(found))
    return fold(LogRecord(offset, moment, key, value) for offset, (key, value, moment) in records)


def test_keys_are_spelt_as_confluents_registry_spells_them() -> None:
    moved = snapshot(entry("a", 1, 1, '"string"'), entry(":.eu:b", 1, 2, '"int"', deleted=True))
    moved.configs[":.:"] = {"compatibilityLevel": "FULL"}
    moved.modes["a"] = "IMPORT"
    assert [(key.decode(), value.decode()) for key, value, _ in records_of(moved)] == [
        (
            '{"keytype":"CONTEXT","tenant":"default","context":".eu","magic":0}',
            '{"tenant":"default","context":".eu"}',
        ),
        (
            '{"keytype":"SCHEMA","subject":"a","version":1,"magic":1}',
            '{"subject":"a","version":1,"id":1,"schema":"\\"string\\"","deleted":false}',
        ),
        (
            '{"keytype":"SCHEMA","subject":":.eu:b","version":1,"magic":1}',
            '{"subject":":.eu:b","version":1,"id":2,"schema":"\\"int\\"","deleted":false}',
        ),
        ('{"keytype":"CONFIG","subject":null,"magic":0}', '{"compatibilityLevel":"FULL"}'),
        ('{"keytype":"MODE","subject":"a","magic":0}', '{"subject":"a","mode":"IMPORT"}'),
        (
            '{"keytype":"DELETE_SUBJECT","subject":":.eu:b","magic":0}',
            '{"subject":":.eu:b","version":1}',
        ),
        ('{"keytype":"NOOP","magic":0}', '{"nextIds":{".":2,".eu":3}}'),
    ]


def test_referenced_schemas_come_before_their_referrers() -> None:
    first = Reference("n", "z", 1)
    moved = snapshot(
        entry("a", 1, 1, references=(Reference("n", "b", 1),)),
        entry("b", 1, 2, references=(first,)),
        entry("c", 1, 3),
        entry("z", 1, 9, deleted=True),
    )
    assert ids(rewritten(moved).versions) == [3, 9, 2, 1]
    keys = [json.loads(key) for key, _, _ in records_of(moved)]
    written = [key["subject"] for key in keys if key["keytype"] == "SCHEMA"]
    assert written == ["c", "z", "b", "a"]


def test_a_schema_is_stamped_with_when_it_was_registered() -> None:
    moved = snapshot(entry("a", 1, 1, registered_at=at(1_600_000_000_123)), entry("a", 2, 2))
    stamps = {json.loads(key).get("version"): moment for key, _, moment in records_of(moved)}
    assert stamps == {1: 1_600_000_000_123, 2: 0, None: 0}


def test_spent_ids_survive() -> None:
    moved = snapshot(entry("a", 1, 1))
    moved.reserve(".", 77)
    assert rewritten(moved).next_ids == {".": 77}
