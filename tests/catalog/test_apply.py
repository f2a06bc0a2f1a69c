"""Applying catalog files."""

from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.actions import Change, apply
from catalog.declaration import DeclarationInvalidError, Entry, read, register_section, sections
from catalog.models import BoundedContext, Cluster, Service, Topic
from catalog.signals import declaration_applied

SHOP = """\
contexts:
  - name: sales
    description: What customers want.
    owner: team-sales
services:
  - name: orders
    context: sales
    recognised_by:
      groups: [orders, "orders-*"]
      transactional_ids: ["orders-*"]
topics:
  - name: orders
    kind: event
    context: sales
    writer: orders
    canonical: true
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.yaml"
    path.write_text(SHOP)
    return path


def _complaints(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(DeclarationInvalidError) as refused:
        apply(read(path))
    return [
        f"{complaint.place.line}: {complaint.message}" for complaint in refused.value.complaints
    ]


def _command(*arguments: str | Path, **options: object) -> str:
    out = StringIO()
    call_command("apply", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def test_the_file_becomes_rows(file: Path) -> None:
    assert [(change.kind, change.name, change.action) for change in apply(read(file))] == [
        ("context", "sales", "created"),
        ("service", "orders", "created"),
        ("topic", "orders", "created"),
    ]
    topic = Topic.objects.get()
    assert topic.writer is not None
    assert topic.context is not None
    assert (topic.writer.name, topic.context.name) == ("orders", "sales")
    assert (topic.kind, topic.canonical, topic.declared) == ("event", True, True)
    assert (topic.partitions, topic.synchronised_at, topic.cluster.name) == (0, None, "local")
    assert Service.objects.get().recognised_by["groups"] == ["orders", "orders-*"]


def test_the_command_prints_what_changed(file: Path) -> None:
    assert _command(file) == (
        "created   context   sales\n"
        "created   service   orders\n"
        "created   topic     orders\n"
        "3 created, 0 changed, 0 unchanged\n"
    )
    assert _command(file) == "0 created, 0 changed, 3 unchanged\n"
    file.write_text(SHOP.replace("kind: event", "kind: table").replace("    canonical: true\n", ""))
    assert _command(file) == (
        "changed   topic     orders: kind event → table; canonical yes → no\n"
        "0 created, 1 changed, 2 unchanged\n"
    )


def test_a_dry_run_writes_nothing(file: Path) -> None:
    assert "created   topic     orders" in _command(file, dry_run=True)
    assert not Topic.objects.exists()
    assert not BoundedContext.objects.exists()
    assert not Cluster.objects.exists()


def test_what_is_not_named_stays(file: Path) -> None:
    apply(read(file))
    file.write_text("contexts:\n  - name: money\n")
    apply(read(file))
    assert Topic.objects.get().writer is not None
    assert BoundedContext.objects.count() == 2


def test_what_kafka_said_stays(file: Path) -> None:
    cluster = Cluster.objects.create(name="local", bootstrap_servers="kafka:9092")
    Topic.objects.create(cluster=cluster, name="orders", partitions=6, records=7)
    (change,) = [change for change in apply(read(file)) if change.kind == "topic"]
    assert change.action == "changed"
    topic = Topic.objects.get()
    assert (topic.partitions, topic.records, topic.declared) == (6, 7, True)
    assert Cluster.objects.get().bootstrap_servers == "kafka:9092"


def test_the_same_topic_of_two_clusters(file: Path) -> None:
    file.write_text(
        "clusters:\n  - {name: east, bootstrap_servers: 'e:9092'}\n"
        "topics:\n  - name: orders\n    cluster: east\n  - name: orders\n"
    )
    apply(read(file))
    assert set(Topic.objects.values_list("cluster__name", "name")) == {
        ("east", "orders"),
        ("local", "orders"),
    }


def test_a_folder_is_one_declaration(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.yaml").write_text("services:\n  - {name: orders, context: sales}\n")
    (tmp_path / "b" / "c.yml").write_text("contexts:\n  - name: sales\n")
    assert len(apply(read(tmp_path))) == 2
    (tmp_path / "b" / "d.yml").write_text("contexts:\n  - name: sales\n")
    with pytest.raises(DeclarationInvalidError) as refused:
        read(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}/b/d.yml:2: context 'sales' is declared already ({tmp_path}/b/c.yml:2)"
    )


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("topics:\n- name: a\n  wirter: b\n", ["3: unknown key 'wirter'; did you mean 'writer'?"]),
        ("topiks: []\n", ["1: unknown section 'topiks'; did you mean 'topics'?"]),
        ("topics:\n- kind: event\n", ["2: key 'name' is missing"]),
        (
            "topics:\n- name: 7\n",
            ["2: 'name' must be text; found 7 (quote it if text is meant)"],
        ),
        (
            "topics:\n- name: a\n\n  canonical: maybe\n",
            ["4: 'canonical' must be true or false; found 'maybe'"],
        ),
        (
            "topics:\n- name: a\n  kind: evnet\n",
            ["3: kind 'evnet' is none of event, command, table, unknown"],
        ),
        ("topics:\n- name: a b\n", ["2: 'a b' is no name that Kafka allows for a topic"]),
        ("topics:\n- name: a\n  writer: b\n", ["3: service 'b' is not declared"]),
        ("topics:\n- name: a\n  context: b\n", ["3: context 'b' is not declared"]),
        ("topics:\n- name: a\n  cluster: b\n", ["3: no cluster is called 'b'"]),
        ("services:\n- name: a\n  context: b\n", ["3: context 'b' is not declared"]),
        (
            "services:\n- name: a\n  recognised_by:\n    groups: [x]\n    group: [y]\n",
            ["5: unknown key 'group'; did you mean 'groups'?"],
        ),
        (
            "services:\n- name: a\n  recognised_by:\n    groups: x\n",
            ["4: 'groups' must be a list of texts; found 'x'"],
        ),
        (
            (
                "services:\n- name: a\n  recognised_by:\n    groups:\n    - x\n"
                "- name: b\n  recognised_by:\n    groups:\n    - y\n    - x\n"
            ),
            ["10: groups: 'x' recognises 'a' already"],
        ),
        (
            "contexts:\n- name: a/b\n",
            ["2: name 'a/b' holds one of / ? # % \\ or begins or ends blank"],
        ),
        ("contexts:\n- name: ''\n", ["2: 'name' is empty or too long"]),
        ("contexts:\n- name: a\n  name: b\n", ["3: key 'name' is given twice (first in line 2)"]),
        ("contexts:\n- a\n", ["2: expected keys with values; found text"]),
        ("contexts: a\n", ["1: section 'contexts' must be a list"]),
        ("- a\n", ["1: expected the sections"]),
        ("contexts:\n- name: [\n", ["3: not YAML"]),
        ("contexts:\n- &a\n  name: x\n- *a\n", ["4: not YAML: write an alias out"]),
        ("contexts:\n- &a\n  name: x\n  owner: *a\n", ["4: not YAML: write an alias out"]),
        ("contexts:\n- name: !!python/name:os.system ''\n", ["2: could not determine"]),
        (
            "topics:\n- name: a\n  x: 1\n- name: a\n  y: 1\n",
            ["3: unknown key 'x'", "4: topic 'a' is declared already", "5: unknown key 'y'"],
        ),
    ],
)
def test_each_complaint_names_its_line(file: Path, text: str, complaints: list[str]) -> None:
    found = _complaints(file, text)
    assert len(found) == len(complaints)
    for complaint, expected in zip(found, complaints, strict=True):
        assert complaint.startswith(expected)
    assert not Topic.objects.exists()


def test_one_complaint_keeps_all_from_being_applied(file: Path) -> None:
    file.write_text(SHOP + "  - name: stray\n    writer: nobody\n")
    with pytest.raises(CommandError) as refused:
        _command(file)
    assert str(refused.value) == (
        f"{file}:18: service 'nobody' is not declared\nnothing was applied"
    )
    assert not Service.objects.exists()


def test_a_pattern_of_a_service_declared_earlier_is_refused(file: Path) -> None:
    apply(read(file))
    assert _complaints(
        file, "services:\n- name: mail\n  recognised_by:\n    groups: [mail, orders]\n"
    ) == ["4: groups: 'orders' recognises 'orders' already"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"\n\xff", ":2: not UTF-8"), (None, ":1: cannot be read: No such file or directory")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeclarationInvalidError, match=complaint):
        read(path)


def test_an_empty_file_declares_nothing(file: Path) -> None:
    file.write_text("# nothing yet\ntopics:\n")
    assert apply(read(file)) == []


def test_a_bomb_of_aliases_is_refused_at_once(file: Path) -> None:
    lines = ["contexts:", "- name: a", "  x0: &x0 [1]"]
    lines += [f"  x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 25)]
    assert _complaints(file, "\n".join(lines))[0].startswith("4: not YAML: write an alias")


def test_deep_nesting_is_refused(file: Path) -> None:
    assert _complaints(file, "contexts:\n- name: " + "[" * 5000 + "]" * 5000)


@pytest.fixture
def section() -> Iterator[list[list[Entry]]]:
    """A section of a room above, which complains about entries called `bad`."""
    given_entries: list[list[Entry]] = []

    def handle(entries: Sequence[Entry]) -> list[Change]:
        given_entries.append(list(entries))
        for entry in entries:
            entry.expect(["name"], ["service"])
            if entry.text("name") == "bad":
                entry.complain("is bad", "name")
        assert Service.objects.filter(name="orders").exists()
        return [Change("thing", entry.text("name"), "created") for entry in entries]

    before = dict(sections._handlers)
    register_section("things", handle)
    yield given_entries
    sections._handlers.clear()
    sections._handlers.update(before)


def test_a_room_above_applies_its_own_section(file: Path, section: list[list[Entry]]) -> None:
    file.write_text("things:\n  - name: copy\n" + SHOP)
    assert apply(read(file))[-1] == Change("thing", "copy", "created")
    file.write_text("things:\n  - name: bad\n" + SHOP.replace("orders", "other"))
    Topic.objects.all().delete()
    with pytest.raises(DeclarationInvalidError, match=r"catalog.yaml:2: is bad"):
        apply(read(file))
    assert not Topic.objects.exists()


def test_the_catalogs_own_sections_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="topics"):
        register_section("topics", lambda _: [])


def test_news_goes_up_once_applied(file: Path) -> None:
    heard: list[list[Change]] = []

    def hear(changes: list[Change], **_: object) -> None:
        heard.append(changes)

    declaration_applied.connect(hear)
    try:
        apply(read(file), dry_run=True)
        assert heard == []
        apply(read(file))
    finally:
        declaration_applied.disconnect(hear)
    assert [len(changes) for changes in heard] == [3]


_names = st.lists(st.sampled_from("abcde"), unique=True, max_size=4)
_words = st.text("xyz ", max_size=5)


@st.composite
def _declarations(draw: st.DrawFn) -> dict[str, list[dict[str, object]]]:
    contexts, services = draw(_names), draw(_names)
    owners = st.sampled_from([*contexts, ""])
    return {
        "contexts": [
            {"name": name, "description": draw(_words), "owner": draw(_words)} for name in contexts
        ],
        "services": [
            {
                "name": name,
                "context": draw(owners),
                "recognised_by": {"groups": [f"{name}-*"], "sources": [name]},
            }
            for name in services
        ],
        "topics": [
            {
                "name": name,
                "kind": draw(st.sampled_from(["event", "table", "command", "unknown"])),
                "writer": draw(st.sampled_from([*services, ""])),
                "context": draw(owners),
                "canonical": draw(st.booleans()),
            }
            for name in draw(_names)
        ],
    }


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=_declarations(), second=_declarations())
def test_applying_twice_changes_nothing_and_the_last_one_holds(
    file: Path, first: dict[str, object], second: dict[str, object]
) -> None:
    file.write_text(yaml.safe_dump(first))
    apply(read(file))
    file.write_text(yaml.safe_dump(second))
    foretold = apply(read(file), dry_run=True)
    assert apply(read(file)) == foretold
    assert {change.action for change in apply(read(file))} <= {"unchanged"}
