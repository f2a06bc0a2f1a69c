"""Topics whose writer leaves no trace: that they hold records is known, and said."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from catalog.models import Cluster, Topic
from tests.lineage import estate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cluster() -> Cluster:
    return estate.build()


def asked(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get("/api/v1/lineage/orphans", query)
    assert answer.status_code == 200
    return {it["topic"]["name"]: it for it in answer.json()["results"]}


def row_of(client: Client, topic: str) -> str:
    page = client.get("/lineage/orphans", headers={"Accept": "text/html"}).content.decode()
    rows = [row for row in page.split("<tr") if f">{topic}</a>" in row]
    assert len(rows) == 1
    return " ".join(re.sub(r"<[^>]+>", " ", rows[0]).split())


def test_records_are_told_beside_a_writer_that_was_never_seen(client: Client) -> None:
    Topic.objects.filter(name="silent").update(records=1200)
    found = asked(client)["silent"]
    assert (found["state"], found["writers"], found["records"]) == ("never_written", [], 1200)
    row = row_of(client, "silent")
    assert "writer never seen" in row
    assert "though it holds 1,200 records: of a producer without an id" in row
    assert "never written" not in row


def test_a_topic_that_holds_none_was_never_written(client: Client) -> None:
    Topic.objects.filter(name="silent").update(records=0)
    assert asked(client)["silent"]["records"] == 0
    row = row_of(client, "silent")
    assert "never written" in row
    assert "though it holds" not in row


def test_of_a_topic_with_writers_nothing_is_said(client: Client) -> None:
    Topic.objects.filter(name="unused").update(records=5)
    row = row_of(client, "unused")
    assert "never read" in row
    assert "though it holds" not in row


def test_what_a_topic_held_before_is_not_known(client: Client) -> None:
    Topic.objects.filter(name="silent").update(records=1200)
    found = asked(client, as_of=timezone.now().isoformat())
    assert found["silent"]["records"] is None


def test_the_command_tells_it_too() -> None:
    Topic.objects.filter(name="silent").update(records=1200)
    out = StringIO()
    call_command("lineage", "orphans", stdout=out)
    heading, *rows = out.getvalue().splitlines()
    assert heading.split()[-1] == "RECORDS"
    assert [row.split()[-1] for row in rows if "/silent " in row] == ["1200"]
