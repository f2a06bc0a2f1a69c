"""Registries to move, and what of them has to arrive."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from registry.actions import Submission, register
from registry.actions.config import set_config
from registry.actions.context import delete_context
from registry.actions.delete import delete_subject, delete_version
from registry.actions.mode import set_mode
from registry.data_contract import read_metadata, read_ruleset
from registry.identity import Reference
from registry.models import Config, Mode, Schema, SchemaContext, Subject, Version
from registry.naming import SubjectName
from registry.transfer.entries import Snapshot, VersionEntry

RULE = {"name": "r", "kind": "CONDITION", "type": "CEL", "mode": "WRITE"}


def avro(name: str, *fields: str) -> str:
    """An Avro record's text, as the registry stores it."""
    listed = [{"name": field, "type": "string", "default": ""} for field in fields]
    return json.dumps({"type": "record", "name": name, "fields": listed}, separators=(",", ":"))


def entry(subject: str, version: int, schema_id: int, text: str = "", **more: Any) -> VersionEntry:
    """A version; its text is a record named by its id unless given."""
    name = SubjectName.read(subject)
    return VersionEntry(
        name, version, schema_id, more.pop("format", "AVRO"), text or avro(f"R{schema_id}"), **more
    )


def snapshot(*versions: VersionEntry) -> Snapshot:
    """A snapshot of these versions."""
    made = Snapshot()
    for each in versions:
        made.add(each)
    return made


def essence(found: Snapshot) -> dict[str, Any]:
    """What has to be equal after a move by any way: all but times and who registered."""
    return {
        "versions": sorted(
            (
                str(each.subject),
                each.version,
                each.id,
                each.format,
                each.text,
                each.references,
                json.dumps(each.metadata, sort_keys=True),
                json.dumps(each.ruleset, sort_keys=True),
                each.deleted,
            )
            for each in found.versions
        ),
        "configs": found.configs,
        "modes": found.modes,
        "contexts": found.next_ids.keys() - found.forgotten - {"."},
        "problems": found.problems,
    }


def fill() -> None:
    """Register something of everything, through the actions."""
    register("orders", Submission(avro("Order", "id")), "anna")
    register("orders", Submission(avro("Order", "id", "note")), "ben")
    keys = '{"type":"object","properties":{"sku":{"type":"string"}}}'
    register("stock", Submission(keys, "JSON"))
    money = 'syntax = "proto3";\npackage shared;\n\nmessage Money {\n  int64 cents = 1;\n}\n'
    register("money", Submission(money, "PROTOBUF"))
    register(
        "bill",
        Submission(
            'syntax = "proto3";\nimport "money.proto";\nmessage Bill { shared.Money sum = 1; }',
            "PROTOBUF",
            (Reference("money.proto", "money", 1),),
        ),
    )
    register(
        "ruled",
        Submission(
            avro("Ruled", "ssn"),
            metadata=read_metadata({"tags": {"Ruled.ssn": ["PII"]}, "properties": {"é": "\0"}}),
            ruleset=read_ruleset({"domainRules": [RULE]}),
        ),
    )
    register(":.eu:orders", Submission(avro("Order", "id")))
    register(":.eu:other/é %2F", Submission(avro("Other", "x")))
    register("gone", Submission(avro("Gone")))
    register("gone", Submission(avro("Gone", "x")))
    delete_subject(SubjectName.read("gone"))
    register("half", Submission(avro("Half")))
    register("half", Submission(avro("Half", "x")))
    delete_version(SubjectName.read("half"), "1")
    register("forgotten", Submission(avro("Forgotten")))
    delete_subject(SubjectName.read("forgotten"))
    delete_subject(SubjectName.read("forgotten"), permanent=True)
    register(":.left:s", Submission(avro("Left")))
    delete_subject(SubjectName.read(":.left:s"))
    delete_subject(SubjectName.read(":.left:s"), permanent=True)
    delete_context(".left")
    set_config(SubjectName.read(""), {"compatibilityLevel": "FULL"})
    set_config(SubjectName.read(":.eu:"), {"normalize": True})
    set_config(SubjectName.read("orders"), {"compatibilityLevel": "NONE", "alias": "purchases"})
    set_mode(SubjectName.read("stock"), "READONLY")


def empty() -> None:
    """Forget everything, the id counters included."""
    for model in (Version, Subject, Schema, SchemaContext, Config, Mode):
        model.objects.all().delete()


def at(milliseconds: int) -> datetime:
    """A time in ms since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def ids(versions: Iterable[VersionEntry]) -> list[int]:
    """The ids, in the order given."""
    return [each.id for each in versions]
