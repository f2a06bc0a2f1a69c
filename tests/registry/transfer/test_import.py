"""Importing: what is created, equal, different and refused; ids are kept and never reused."""

from dataclasses import replace

import pytest

from registry.actions import Submission, find_schema, find_version, look_up, register
from registry.actions.scopes import mode_in_scope, own_config
from registry.identity import Reference, guid
from registry.models import Schema, SchemaContext, Version
from registry.naming import SubjectName
from registry.transfer.apply import BATCH, Options, import_snapshot
from registry.transfer.entries import Problem, Snapshot
from registry.transfer.report import Report
from registry.transfer.store import read_store
from tests.registry.transfer.samples import at, avro, empty, entry, essence, fill, snapshot

pytestmark = pytest.mark.django_db


def counts(report: Report) -> dict[str, int]:
    return {kind: number for kind, number in report.counts.items() if number}


def details(report: Report) -> list[str]:
    return [f"{each.what}: {each.detail}" for each in report.noteworthy]


def test_ids_versions_and_times_are_kept() -> None:
    report = import_snapshot(
        snapshot(
            entry("orders", 3, 70, registered_at=at(1_700_000_000_123)),
            entry("orders", 7, 12, deleted=True),
            entry(":.eu:orders", 1, 70, avro("Elsewhere")),
        )
    )
    assert counts(report) == {"created": 3}
    found = find_version("orders", 3)
    assert (found.schema.id, found.registered_at) == (70, at(1_700_000_000_123))
    assert find_version("orders", 7, deleted=True).deleted
    assert find_version(":.eu:orders", 1).schema.text == avro("Elsewhere")


def test_everything_arrives_and_a_second_time_nothing_changes() -> None:
    fill()
    before = read_store()
    empty()
    assert counts(import_snapshot(before)) == {"created": 16}
    after = read_store()
    assert sorted(after.versions, key=lambda each: each.key) == sorted(
        before.versions, key=lambda each: each.key
    )
    assert (essence(after), after.next_ids) == (essence(before), before.next_ids)
    revisions = dict(SchemaContext.objects.values_list("name", "revision"))
    again = import_snapshot(before)
    assert (counts(again), again.clean) == ({"equal": 16}, True)
    assert dict(SchemaContext.objects.values_list("name", "revision")) == revisions


def test_guids_are_those_that_the_other_registry_gives() -> None:
    text = '{ "type": "record", "name": "R", "fields": [] }'
    import_snapshot(snapshot(entry("s", 1, 5, text)))
    assert find_schema(5).guid == guid(text)


def test_a_text_is_kept_to_the_letter_and_found_by_its_meaning() -> None:
    text = '{ "name": "Order", "fields": [], "type": "record" }'
    import_snapshot(snapshot(entry("orders", 1, 5, text)))
    assert find_schema(5).text == text
    same = Submission('{"type":"record","name":"Order","fields":[]}')
    assert look_up(SubjectName.read("orders"), same).schema.id == 5
    assert register("orders", same).schema.id == 5
    assert register("orders-copy", same).schema.id == 5


def test_ids_given_out_later_are_above_all_that_were_seen() -> None:
    moved = snapshot(entry("a", 1, 40), entry("b", 1, 41, "{not avro"))
    moved.reserve(".", 100)
    moved.reserve(".empty")
    import_snapshot(moved)
    assert register("new", Submission(avro("New"))).schema.id == 100
    assert register(":.empty:new", Submission(avro("New"))).schema.id == 1


def test_an_id_held_by_another_schema_is_refused_and_reported() -> None:
    register("mine", Submission(avro("Mine")))
    report = import_snapshot(
        snapshot(entry("theirs", 1, 1, avro("Theirs")), entry("theirs", 2, 9), entry("mine2", 1, 1))
    )
    assert counts(report) == {"created": 1, "refused": 2}
    assert not report.clean
    assert "theirs version 1: id 1 is held by another schema, mine version 1" in details(report)
    assert find_schema(1).text == avro("Mine")
    assert find_version("theirs", 2).schema.id == 9


def test_an_id_for_two_schemas_in_what_is_imported_is_refused(db: None) -> None:
    for options in (Options(dry_run=True), Options()):
        twice = [entry(f"s{number}", 1, number + 10) for number in range(BATCH)]
        report = import_snapshot(snapshot(*twice, entry("zz", 1, 10, avro("Another"))), options)
        assert details(report) == ["zz version 1: id 10 is held by another schema, s0 version 1"]


def test_one_schema_under_two_ids_keeps_both() -> None:
    moved = snapshot(entry("a", 1, 5, avro("R")), entry("b", 1, 6, avro("R")))
    assert counts(import_snapshot(moved)) == {"created": 2}
    assert counts(import_snapshot(moved)) == {"equal": 2}
    assert find_version("b", 1).schema.id == 6
    fresh = snapshot(entry("c", 1, 7, avro("R")), entry("d", 1, 5, avro("R")))
    assert counts(import_snapshot(fresh)) == {"created": 2}


def test_what_differs_is_told_and_left_as_it_is() -> None:
    here = entry("s", 1, 5, avro("Here"), metadata={"properties": {"a": "1"}})
    import_snapshot(snapshot(here))
    there = replace(
        entry("s", 1, 6, avro("There")),
        deleted=True,
        ruleset={"domainRules": [{"name": "r", "type": "CEL", "disabled": False}]},
    )
    report = import_snapshot(snapshot(there), Options(update=True))
    differing = "id 5 here, 6 there; schema text; metadata; rule set"
    assert details(report) == [f"s version 1: {differing}; live here, softly deleted there"]
    assert read_store().versions[0].text == avro("Here")


def test_references_that_differ_are_told() -> None:
    one = entry("one", 1, 1, '"string"'), entry("two", 1, 2, '"int"')
    refers = (Reference("n", "one", 1),)
    import_snapshot(snapshot(*one, entry("s", 1, 3, avro("S"), references=refers)))
    other = entry("s", 1, 3, avro("S"), references=(Reference("n", "two", 1),))
    assert details(import_snapshot(snapshot(*one, other))) == ["s version 1: references"]


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("{not avro", {}, "JSON"),
        ('{"type":"record"}', {}, "name"),
        ('"string"', {"format": "XML"}, "Invalid schema type XML"),
        ("[" * 500 + "]" * 500, {}, "nested deeper"),
        (
            '"string"',
            {"references": (Reference("n", "nowhere", 4),)},
            "nowhere version 4, which is",
        ),
    ],
)
def test_a_schema_that_cannot_be_is_refused_and_the_rest_taken(
    text: str, more: dict[str, str], reason: str
) -> None:
    report = import_snapshot(snapshot(entry("bad", 1, 1, text, **more), entry("good", 1, 2)))
    assert counts(report) == {"created": 1, "refused": 1}
    assert reason in details(report)[0]


def test_what_refers_to_something_left_out_is_left_out() -> None:
    register("mine", Submission(avro("Mine")))
    uses = '{"type":"record","name":"Uses","fields":[{"name":"f","type":"Base"}]}'
    report = import_snapshot(
        snapshot(
            entry("base", 1, 1, avro("Base")),
            entry("uses", 1, 3, uses, references=(Reference("Base", "base", 1),)),
            entry("over", 1, 4, avro("Over"), references=(Reference("Uses", "uses", 1),)),
        )
    )
    assert counts(report) == {"refused": 3}
    assert "over version 1: it refers to uses version 1, left out above" in details(report)
    assert Version.objects.count() == 1


def test_references_that_form_a_circle_are_refused() -> None:
    one = entry("one", 1, 1, avro("One"), references=(Reference("Two", "two", 1),))
    two = entry("two", 1, 2, avro("Two"), references=(Reference("One", "one", 1),))
    assert counts(import_snapshot(snapshot(one, two, entry("s", 1, 3)))) == {
        "created": 1,
        "refused": 2,
    }


def test_a_reference_to_what_is_here_already_is_found() -> None:
    register("base", Submission(avro("Base")))
    uses = '{"type":"record","name":"Uses","fields":[{"name":"f","type":"Base"}]}'
    moved = snapshot(entry("uses", 1, 30, uses, references=(Reference("Base", "base", 1),)))
    assert counts(import_snapshot(moved)) == {"created": 1}
    assert find_version("uses", 1).schema.dependencies[0].text == avro("Base")


def test_a_dry_run_writes_nothing_and_says_the_same() -> None:
    fill()
    before = read_store()
    empty()
    report = import_snapshot(before, Options(dry_run=True))
    assert counts(report) == {"created": 16}
    assert not Schema.objects.exists()
    assert not SchemaContext.objects.exists()
    assert read_store().configs == {}


def test_deletions_configs_and_modes_are_taken_when_asked_for() -> None:
    moved = snapshot(entry("s", 1, 1), entry("s", 2, 2, deleted=True))
    moved.configs["s"] = {"compatibilityLevel": "FULL"}
    moved.modes["s"] = "READONLY"
    import_snapshot(moved)
    later = snapshot(entry("s", 1, 1, deleted=True), entry("s", 2, 2))
    later.configs["s"] = {"compatibilityLevel": "NONE", "normalize": True}
    later.modes["s"] = "READWRITE"
    told = import_snapshot(later)
    assert counts(told) == {"different": 4}
    assert (
        "config s: compatibilityLevel FULL here, NONE there; normalize unset here, true there"
        in (details(told))
    )
    assert counts(import_snapshot(later, Options(update=True, dry_run=True))) == {"updated": 4}
    assert counts(import_snapshot(later, Options(update=True))) == {"updated": 4}
    assert counts(import_snapshot(later)) == {"equal": 4}
    assert find_version("s").version == 2
    assert mode_in_scope(SubjectName.read("s")) == "READWRITE"


def test_the_default_level_and_mode_are_equal_to_none() -> None:
    moved = Snapshot(
        configs={":.:": {"compatibilityLevel": "BACKWARD"}}, modes={":.:": "READWRITE"}
    )
    assert counts(import_snapshot(moved)) == {"equal": 2}
    assert own_config(SubjectName.read("")) is None
    moved.configs[":.__GLOBAL:"] = {"compatibilityLevel": "FULL"}
    assert counts(import_snapshot(moved)) == {"created": 2, "equal": 1}
    assert own_config(SubjectName.read("")) == {"compatibilityLevel": "BACKWARD"}


def test_what_was_deleted_for_good_there_is_told_and_kept() -> None:
    register("s", Submission(avro("S")))
    moved = Snapshot(tombstones={(SubjectName.read("s"), 1), (SubjectName.read("t"), 1)})
    report = import_snapshot(moved, Options(update=True))
    assert details(report) == ["s version 1: deleted for good there, still here"]
    assert find_version("s").version == 1


def test_problems_of_the_reading_are_refusals() -> None:
    report = import_snapshot(Snapshot(problems=[Problem("record at offset 3", "no JSON")]))
    assert (counts(report), report.clean) == ({"refused": 1}, False)
    assert str(report) == "0 created, 0 updated, 0 equal, 0 different, 1 refused"
