"""The registry's pages as a client gets them: verdicts, inheritance, references, trials."""

import json
import time
from html import escape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import observation
from catalog.models import Cluster, Topic
from catalog.observation import Access, install_witness
from registry.actions import Submission, register
from registry.actions.config import set_config
from registry.actions.delete import delete_subject, delete_version
from registry.actions.mode import set_mode
from registry.actions.scopes import config_in_scope, mode_in_scope
from registry.identity import Reference
from registry.models import Association, Schema, SchemaContext, Subject, Version
from registry.naming import GLOBAL_CONTEXT, SubjectName
from registry.panels import subjects

PAGE = {"Accept": "text/html"}
HOSTILE = "<script>alert(1)</script>"
ID = {"name": "id", "type": "string"}
NOTE = {"name": "note", "type": ["null", "string"], "default": None}
TOTAL = {"name": "total", "type": "int"}

pytestmark = pytest.mark.django_db


def record(*fields: Any, name: str = "Order") -> str:
    return json.dumps({"type": "record", "name": name, "fields": list(fields)})


@pytest.fixture
def orders() -> None:
    """Three versions: the second adds an optional field, the third breaks both directions."""
    register("orders-value", Submission(text=record(ID, TOTAL)), "python/2.1")
    register("orders-value", Submission(text=record(ID, TOTAL, NOTE)), "java/7.9")
    set_config(SubjectName(".", "orders-value"), {"compatibilityLevel": "NONE"})
    wider = {"name": "total", "type": "long"}
    register("orders-value", Submission(text=record(ID, wider, {"name": "by", "type": "string"})))
    set_config(SubjectName(".", "orders-value"), {"compatibilityLevel": "FULL_TRANSITIVE"})


@pytest.fixture
def topic() -> Any:
    """The topic orders, read by the service stock; the witness is put back afterwards."""
    cluster = Cluster.objects.create(name="local", bootstrap_servers="127.0.0.1:1")
    Topic.objects.create(cluster=cluster, name="orders", partitions=1)
    now = timezone.now()
    seen = [Access("orders", "reads", "stock", "stock", "inventory", ("commit",), now, now, True)]
    before = list(observation._witnesses)
    install_witness(lambda *_: seen)
    yield
    observation._witnesses[:] = before


def page(client: Client, path: str) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


def attempt(client: Client, **typed: str) -> tuple[int, str]:
    answer = client.post("/registry/try", {"format": "AVRO", **typed}, headers=PAGE)
    return answer.status_code, " ".join(answer.content.decode().split())


def state(word: str) -> str:
    return f"</svg> {word}</span>"


class TestSubject:
    def test_every_level_judges_and_the_one_in_force_is_marked(
        self, client: Client, orders: None
    ) -> None:
        body = page(client, "/registry/subjects/orders-value")
        for level in ("BACKWARD", "FORWARD", "FULL"):
            assert f'<span class="name">{level}</span>' in body
            assert f'<span class="name">{level}_TRANSITIVE</span>' in body
        assert 'FULL_TRANSITIVE</span> <span class="tag">in force</span>' in body
        assert "all 2 versions" in body
        assert "READER_FIELD_MISSING_DEFAULT_VALUE" in body

    def test_any_two_versions_are_compared_by_field_also_backwards(
        self, client: Client, orders: None
    ) -> None:
        body = page(client, "/registry/subjects/orders-value?version=1&since=3")
        assert "from version 3 to 1" in body
        row = body[body.index("Fields that differ from version 3") :]
        assert state("changed") in row
        assert state("removed") in row
        assert '<span class="name">by</span>' in row

    def test_versions_tell_who_registered_them_and_when_and_which_are_deleted(
        self, client: Client, orders: None
    ) -> None:
        delete_version(SubjectName(".", "orders-value"), "2")
        body = page(client, "/registry/subjects/orders-value")
        assert "python/2.1" in body
        assert "java/7.9" in body
        assert "1 of 3 soft-deleted" in body
        shown = page(client, "/registry/subjects/orders-value?version=2")
        assert "This version was soft-deleted" in shown

    def test_a_deleted_subject_still_has_its_page(self, client: Client, orders: None) -> None:
        delete_subject(SubjectName(".", "orders-value"))
        assert "Every version of this subject was" in page(
            client, "/registry/subjects/orders-value"
        )

    def test_fields_tell_since_which_version_they_are_there(
        self, client: Client, orders: None
    ) -> None:
        body = page(client, "/registry/subjects/orders-value?version=2")
        assert body.count('data-label="since version">1<') == 2
        assert body.count('data-label="since version">2<') == 1

    @pytest.mark.parametrize("name", ["%00", "nobody", ":.x:", "%0A", "*", "a/b/../c"])
    def test_unknown_names_are_not_there(self, client: Client, name: str) -> None:
        assert client.get(f"/registry/subjects/{name}", headers=PAGE).status_code == 404
        assert client.get(f"/registry/try?subject={name}", headers=PAGE).status_code == 200

    def test_an_unknown_version_is_not_there(self, client: Client, orders: None) -> None:
        for query in ("version=9", "since=9", "version=x"):
            path = f"/registry/subjects/orders-value?{query}"
            assert client.get(path, headers=PAGE).status_code == 404

    def test_settings_show_each_scope_and_which_is_in_force(
        self, client: Client, orders: None
    ) -> None:
        set_config(SubjectName(GLOBAL_CONTEXT, ""), {"compatibilityLevel": "FORWARD"})
        set_mode(SubjectName(GLOBAL_CONTEXT, ""), "READONLY")
        body = page(client, "/registry/subjects/orders-value")
        own = '<strong class="name">FULL_TRANSITIVE</strong> <span class="tag">in force</span>'
        assert own in body
        assert '<span class="name quiet">FORWARD</span>' in body
        assert '<strong class="name">READONLY</strong> <span class="tag">in force</span>' in body

    def test_references_lead_both_ways(self, client: Client) -> None:
        register("address", Submission(text=record(ID, name="Address")))
        reference = Reference("Address", "address", 1)
        home = {"name": "home", "type": "Address"}
        register("people", Submission(text=record(home, name="P"), references=(reference,)))
        assert "/registry/subjects/address?version=1" in page(client, "/registry/subjects/people")
        assert "/registry/subjects/people?version=1" in page(client, "/registry/subjects/address")

    def test_readers_of_the_topic_are_told_what_the_change_means_to_them(
        self, client: Client, orders: None, topic: None
    ) -> None:
        body = page(client, "/registry/subjects/orders-value")
        readers = body[body.index('id="readers-title"') :]
        assert 'href="/services/stock"' in readers
        assert f'data-label="as it runs now"><span class="state bad">{""}' in readers

    def test_a_long_history_stays_light_and_asks_little(self, client: Client) -> None:
        name = SubjectName(".", "long-value")
        set_config(name, {"compatibilityLevel": "NONE"})
        for number in range(60):
            field = {"name": f"f{number}", "type": "int", "default": 0}
            register(name, Submission(text=record(ID, field)))
        with CaptureQueriesContext(connection) as queries:
            answer = client.get("/registry/subjects/long-value", headers=PAGE)
        assert len(queries) <= 40
        assert len(answer.content) <= 200 * 1024
        assert "the newest 30 of 59 versions" in answer.content.decode()

    @pytest.mark.parametrize("count", [3000])
    def test_a_wide_schema_stays_light(self, client: Client, count: int) -> None:
        doc = f"{HOSTILE} {'long ' * 200}"
        fields = [{"name": f"f{at}", "type": "int", "doc": doc} for at in range(count)]
        register("wide-value", Submission(text=record(*fields[:300])))
        register("wide-value", Submission(text=record(*fields[1:300])))
        answer = client.get("/registry/subjects/wide-value", headers=PAGE)
        assert len(answer.content) <= 200 * 1024
        assert HOSTILE not in answer.content.decode()

    def test_a_page_is_no_heavier_than_it_may_be(self, client: Client) -> None:
        def text(size: int, kind: str) -> str:
            doc = '<&">' * 9
            return record(*({"name": f"f{n}", "type": kind, "doc": doc} for n in range(size)))

        for size in (60, 110, 130, 400):
            name = f"heavy{size}-value"
            register(name, Submission(text=text(size, "int")))
            register(name, Submission(text=text(size, "long")))
            answer = client.get(f"/registry/subjects/{name}", headers=PAGE)
            assert len(answer.content) <= 200 * 1024, size

    def test_metadata_rules_and_associations_are_shown_as_text(self, client: Client) -> None:
        rule = {"name": "check", "kind": "CONDITION", "mode": "WRITE", "type": "CEL"}
        rules = {"domainRules": [{**rule, "expr": HOSTILE, "params": {"dlq.topic": "bad"}}]}
        properties = {"properties": {"owner": HOSTILE, "pin": "1"}, "sensitive": ["pin"]}
        metadata = {**properties, "tags": {"Order.id": ["PII"]}}
        register("m-value", Submission(record(ID), metadata=metadata, ruleset=rules))
        Association.objects.create(
            resource_id="1",
            resource_name="sales",
            resource_namespace="lkc",
            resource_type="topic",
            association_type="value",
            subject="m-value",
            lifecycle="STRONG",
            frozen=True,
        )
        body = page(client, "/registry/subjects/m-value")
        for said in (escape(HOSTILE), "sensitive", "PII", "check", "dlq.topic", "frozen", "sales"):
            assert said in body, said
        assert HOSTILE not in body

    def test_other_contexts_say_whether_it_would_fit_there(
        self, client: Client, orders: None
    ) -> None:
        register(":.live:orders-value", Submission(text=record(ID)))
        register(":.same:orders-value", Submission(text=record(ID, TOTAL)))
        body = page(client, "/registry/subjects/orders-value?version=1")
        rows = body[body.index('id="elsewhere-title"') :]
        assert state("breaking") in rows
        assert "it is version 1 there" in rows
        link = "/registry/try?subject=%3A.live%3Aorders-value&amp;like=orders-value&amp;version=1"
        assert link in rows
        tried = page(client, link.replace("&amp;", "&"))
        assert 'value=":.live:orders-value"' in tried
        assert "&quot;total&quot;" in tried

    def test_a_schema_without_fields_shows_itself_and_its_changes(self, client: Client) -> None:
        register("bare-value", Submission(text='"int"'))
        register("bare-value", Submission(text='"long"'))
        body = page(client, "/registry/subjects/bare-value")
        assert '<span class="name">(the schema itself)</span>' in body
        assert state("changed") in body

    def test_what_no_type_names_is_shown_and_compared(self, client: Client) -> None:
        def amount(precision: int) -> str:
            kind = {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": 2}
            return record({"name": "amount", "type": kind})

        set_config(SubjectName(".", "d-value"), {"compatibilityLevel": "NONE"})
        register("d-value", Submission(text=amount(8)))
        register("d-value", Submission(text=amount(9)))
        body = page(client, "/registry/subjects/d-value")
        assert "precision 9, scale 2" in body
        assert state("changed") in body[body.index("Fields that differ") :]

    def test_texts_that_differ_outside_fields_are_not_called_equal(self, client: Client) -> None:
        register("n-value", Submission(text=record(ID)))
        register("n-value", Submission(text=record(ID).replace("{", '{"doc": "x", ', 1)))
        assert "No field differs, but the texts do" in page(client, "/registry/subjects/n-value")

    def test_any_two_of_many_versions_can_be_chosen(self, client: Client) -> None:
        set_config(SubjectName(".", "many-value"), {"compatibilityLevel": "NONE"})
        for size in range(101):
            text = {"type": "fixed", "name": "F", "size": size + 1}
            register("many-value", Submission(text=json.dumps(text)))
        body = page(client, "/registry/subjects/many-value?since=1&version=101")
        assert '<input type="number" name="since" min="1" max="101" value="1"' in body
        assert "from version 1 to 101" in body

    def test_a_schema_that_everything_refers_to_stays_light(self, client: Client) -> None:
        register("m", Submission(text=record(ID, name="M")))
        reference = Reference("M", "m", 1)
        for number in range(120):
            text = record({"name": "m", "type": "M"}, name=f"R{number}")
            register(f"r{number}", Submission(text=text, references=(reference,)))
        body = page(client, "/registry/subjects/m")
        assert "The first 100 of 120 versions" in body
        assert body.count("/registry/subjects/r") == 100

    def test_the_verdict_of_a_version_without_live_ones_before_is_not_green(
        self, client: Client, orders: None
    ) -> None:
        delete_subject(SubjectName(".", "orders-value"))
        body = page(client, "/registry/subjects/orders-value")
        statement = body[body.index('class="statement"') : body.index("</p>", body.index("state"))]
        assert "compatible" not in statement


class TestSubjects:
    def test_deleted_subjects_are_hidden_until_asked_for(
        self, client: Client, orders: None
    ) -> None:
        register("gone-value", Submission(text='"string"'))
        delete_subject(SubjectName(".", "gone-value"))
        link = "/registry/subjects/gone-value"
        assert link not in page(client, "/registry")
        assert link in page(client, "/registry?state=deleted")
        assert link in page(client, "/registry?state=any")

    def test_ids_and_guids_find_their_schema_here_and_in_the_search(
        self, client: Client, orders: None
    ) -> None:
        version = Version.objects.select_related("schema").get(version=2)
        for words in (f"id:{version.schema.number}", str(version.schema.guid)):
            for path in ("/registry", "/search"):
                body = page(client, f"{path}?q={words}")
                assert "/registry/subjects/orders-value?version=2" in body, (path, words)
        assert "carried by no subject" in page(client, "/registry?q=id:999")

    def test_contexts_show_what_applies_in_them(self, client: Client, orders: None) -> None:
        register(SubjectName(".staging", "orders-value"), Submission(text=record(ID)))
        set_mode(SubjectName(".staging", ""), "READONLY")
        body = page(client, "/registry")
        assert 'href="/registry/contexts/:.staging:"' in body
        assert 'READONLY <span class="quiet small">context .staging' in body

    def test_ten_thousand_subjects_are_listed_soon_and_with_few_queries(
        self, client: Client
    ) -> None:
        register("first-value", Submission(text=record(ID)))
        schema, context = Schema.objects.get(), SchemaContext.objects.get(name=".")
        made = Subject.objects.bulk_create(
            Subject(context=context, name=f"shop.{number:05}-value") for number in range(10_000)
        )
        at = timezone.now()
        Version.objects.bulk_create(
            Version(subject=each, version=number, schema=schema, registered_at=at)
            for each in made
            for number in (1, 2)
        )
        spent = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as queries:
                begun = time.process_time()
                answer = client.get("/registry", headers=PAGE)
                spent.append(time.process_time() - begun)
        assert len(queries) <= 20
        assert len(answer.content) <= 200 * 1024
        assert "of 10,001 subjects" in answer.content.decode()
        # the computing that it costs; how busy the machine is does not count
        assert min(spent) < 0.3

    def test_what_is_in_force_is_listed_as_the_api_says_it(self, client: Client) -> None:
        for name in (":.a:s", ":.b:s", "s"):
            register(name, Submission(text=record(ID)))
        set_config(SubjectName(".a", ""), {"compatibilityLevel": "FULL"})
        set_config(SubjectName(".a", "s"), {"compatibilityLevel": "NONE"})
        set_mode(SubjectName(".b", ""), "READONLY")
        set_mode(SubjectName(".", "s"), "IMPORT", force=True)
        for row in subjects.list_rows():
            subject = SubjectName.read(row.subject)
            assert row.level == config_in_scope(subject)["compatibilityLevel"]
            assert row.mode == mode_in_scope(subject)


class TestTrySchema:
    def test_what_breaks_is_said_and_nothing_is_registered(
        self, client: Client, orders: None, topic: None
    ) -> None:
        before = Version.objects.count()
        status, body = attempt(client, subject="orders-value", schema=record(ID))
        assert status == 200
        assert state("refused") in body
        assert "FULL_TRANSITIVE (this subject), forbids it" in body
        assert "Fields that differ from version 3" in body
        assert 'href="/services/stock"' in body
        assert Version.objects.count() == before

    def test_what_fits_is_accepted_and_what_is_there_is_unchanged(
        self, client: Client, orders: None
    ) -> None:
        register("plain", Submission(text=record(ID)))
        assert state("accepted") in attempt(client, subject="plain", schema=record(ID, NOTE))[1]
        assert state("unchanged") in attempt(client, subject="plain", schema=record(ID))[1]
        first = attempt(client, subject="unheard-of", schema=record(ID))[1]
        assert "it would be the first version" in first

    def test_a_read_only_subject_refuses_whatever_fits(self, client: Client) -> None:
        register("plain", Submission(text=record(ID)))
        set_mode(SubjectName(".", "plain"), "READONLY")
        body = attempt(client, subject="plain", schema=record(ID, NOTE))[1]
        assert "the mode is READONLY (this subject)" in body

    def test_it_begins_with_the_newest_schema(self, client: Client, orders: None) -> None:
        body = page(client, "/registry/try?subject=orders-value")
        assert "&quot;name&quot;: &quot;by&quot;" in body

    def test_references_are_resolved(self, client: Client) -> None:
        register("address", Submission(text=record(ID, name="Address")))
        schema = record({"name": "home", "type": "Address"}, name="P")
        references = json.dumps([{"name": "Address", "subject": "address", "version": 1}])
        typed = {"subject": "p", "schema": schema, "references": references}
        assert state("accepted") in attempt(client, **typed)[1]
        status, body = attempt(client, **{**typed, "references": '[{"name": 1}]'})
        assert status == 422
        assert 'name="references"' in body[: body.index("aria-invalid")][-200:]

    @pytest.mark.parametrize(
        ("kind", "text", "where"),
        [
            ("AVRO", '{"type": "record",\n "name": }', "line 2, column"),
            ("AVRO", record({"name": "a", "type": HOSTILE}), "/fields/0/type"),
            ("JSON", '{"type":\n "objec"}', "#/type"),
            ("JSON", f'{{"a": {HOSTILE}', "line 1, column"),
            ("PROTOBUF", 'syntax="proto3";\nmessage A {\n string a 1;\n}', "line 3, column 11"),
        ],
    )
    def test_errors_say_what_and_where_and_keep_what_was_typed(
        self, client: Client, kind: str, text: str, where: str
    ) -> None:
        answer = client.post(
            "/registry/try", {"subject": "s", "format": kind, "schema": text}, headers=PAGE
        )
        body = answer.content.decode()
        assert answer.status_code == 422
        assert where in body
        assert 'aria-invalid="true"' in body
        assert HOSTILE not in body
        assert escape(text[-8:]) in body

    @pytest.mark.parametrize("kind", ["AVRO", "JSON", "PROTOBUF"])
    @pytest.mark.parametrize(
        "text",
        [
            "[" * 10_000,
            "[" * 10_000 + "]" * 10_000,
            '{"items":' * 10_000 + "{}" + "}" * 10_000,
            '{"type":"array","items":' * 90 + '"int"' + "}" * 90,
            "message A {" * 10_000,
            "x" * 3_000_000,
            '"' * 900_000,
            "\x00\ud7ff\uffff",
            HOSTILE,
            "{}",
            "null",
            "1e999999",
            "9" * 10_000,
            r'{"type": "string", "doc": "\ud800"}',
            r'{"type": "enum", "name": "E", "symbols": ["A\u0000"]}',
        ],
        ids=range(15),
    )
    def test_hostile_texts_get_an_answer_soon(self, client: Client, kind: str, text: str) -> None:
        register("s", Submission(text=record(ID)))
        # the computing that it costs; how busy the machine is does not count
        begun = time.process_time()
        status, body = attempt(client, subject="s", format=kind, schema=text)
        assert time.process_time() - begun < 2
        assert status in {200, 422}
        assert 'id="problem"' in body or 'id="outcome"' in body
        assert HOSTILE not in body

    def test_a_body_over_the_limit_is_refused_as_a_page(self, client: Client) -> None:
        status, body = attempt(client, subject="s", schema="x" * 6_000_000)
        assert status in {400, 413}
        assert "<main" in body

    def test_names_that_are_none_are_marked(self, client: Client) -> None:
        for subject in ("", "__GLOBAL", "a\x00b", ":*:x", "s" * 700):
            status, body = attempt(client, subject=subject, schema=record(ID))
            assert status == 422, subject
            assert 'name="subject"' in body[: body.index("aria-invalid")][-1000:], subject

    def test_references_that_are_none_are_marked(self, client: Client) -> None:
        for references in (
            "[",
            "{}",
            "[1]",
            '[{"name": "a", "subject": "b", "version": 1}]',
            '[{"name": "a", "subject": "b\\u0000", "version": 1}]',
            '[{"name": "a", "subject": "b", "version": 99999999999999999999}]',
            '[{"name": "a", "subject": "b", "version": 1e999}]',
            "[" * 100_000,
        ):
            status, body = attempt(client, subject="s", schema=record(ID), references=references)
            assert status == 422 or references == "{}", references
            assert ("aria-invalid" in body) == (status == 422), references

    def test_other_sites_cannot_post_the_form(self) -> None:
        client = Client(enforce_csrf_checks=True)
        assert attempt(client, subject="s", schema="1")[0] == 403
