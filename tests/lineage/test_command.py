"""`manage.py lineage`: tables for people, JSON for programs, exit codes for CI."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Cluster, Topic
from tests.lineage import estate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cluster() -> Cluster:
    return estate.build()


def lineage(*words: str) -> str:
    out = StringIO()
    call_command("lineage", *words, stdout=out)
    return out.getvalue()


def test_downstream_as_a_table() -> None:
    lines = lineage("downstream", "service:orders", "--depth", "2", "--active").splitlines()
    assert lines[0].split() == ["HOPS", "NODE", "CONTEXT"]
    assert lines[1].split() == ["1", "topic:ordered", "sales"]
    assert "left out: 0 by the cap, 2 beyond the depth" in lines
    assert "data of service:orders comes back to it" in lines


def test_upstream_of_what_nobody_feeds() -> None:
    assert lineage("upstream", "silent") == "nothing from topic:silent that way\n"


def test_the_story_with_its_evidence() -> None:
    lines = lineage("path", "service:orders", "mail").splitlines()
    assert lines[0].startswith("orders writes ordered · payments reads ordered")
    assert "topic:ordered → service:payments: member" in lines[2]


def test_no_way_is_exit_code_1() -> None:
    with pytest.raises(SystemExit) as ended:
        lineage("path", "mail", "orders")
    assert ended.value.code == 1


@pytest.mark.parametrize("fail_on", ["violated", "unverified"])
def test_ci_fails_on_a_violated_writer(fail_on: str) -> None:
    with pytest.raises(SystemExit) as ended:
        lineage("declared", "--fail-on", fail_on)
    assert ended.value.code == 1


def test_ci_passes_where_all_is_as_declared() -> None:
    Topic.objects.exclude(name="ordered").delete()
    assert "verified" in lineage("declared", "--fail-on", "unverified")
    lineage("declared", "--topic", "paid", "--fail-on", "violated")


def test_orphans_and_their_exit_code() -> None:
    assert "never_read     main/unused" in lineage("orphans")
    lineage("orphans", "--fail-on", "quiet")
    for word in ("never_read", "any"):
        with pytest.raises(SystemExit):
            lineage("orphans", "--fail-on", word)


def test_what_changed() -> None:
    now = timezone.now().isoformat()
    assert lineage("diff", "--since", now, "--as-of", now).startswith("nothing changed from")
    table = lineage("diff", "--since", "2020-01-01T00:00:00Z")
    assert "appeared  topic:ordered → service:payments" in table
    assert "first seen" in table


def test_couplings_cycles_and_a_footprint() -> None:
    assert "sales         finance       1      cyclic  ordered" in lineage("couplings")
    assert "topic:ordered → service:payments" in lineage("cycles")
    assert "group             payments-g\n" in lineage("footprint", "payments")


@pytest.mark.parametrize(
    "words",
    [
        ("upstream", "mail"),
        ("downstream", "orders"),
        ("path", "orders", "mail"),
        ("diff", "--since", "2020-01-01T00:00:00Z"),
        ("orphans",),
        ("declared",),
        ("couplings",),
        ("cycles",),
        ("footprint", "orders"),
    ],
)
def test_json_is_what_rest_answers(words: tuple[str, ...]) -> None:
    assert json.loads(lineage(*words, "--json"))


def test_a_wrong_question_is_exit_code_2() -> None:
    for words in (
        ("upstream", "nothing"),
        ("orphans", "--as-of", "friday"),
        ("cycles", "--cluster", "x"),
    ):
        with pytest.raises(CommandError) as refused:
            lineage(*words)
        assert refused.value.returncode == 2
