"""The questions as pages: what they say, that their state is in the URL, that odd queries pass."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Cluster
from tests.lineage import estate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cluster() -> Cluster:
    return estate.build()


def read(client: Client, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/lineage/orphans", ["never read", "never written", "never sampled", "none ever seen"]),
        ("/lineage/declared", ["violated", "intruder-tx", "is declared to be its only writer"]),
        ("/lineage/couplings", ["sales", "finance", "cyclic", "one way"]),
        ("/lineage/cycles", ["loop", "observed", " → "]),
        (
            "/lineage/path?source=service:orders&target=mail",
            ["orders writes ordered · payments reads ordered and writes paid · mail reads paid"],
        ),
        ("/lineage/path?source=mail&target=orders", ["it flows the other way"]),
        ("/lineage/reach?node=service:orders", ["8 things", "its own data comes back to it"]),
        ("/lineage/reach?node=service:orders&depth=1", ["2 things", "6 lie deeper"]),
        ("/lineage/footprint?service=payments", ["payments-g", "/10.0.0.7", "notices", "active"]),
        ("/lineage/path?source=nobody&target=mail", ["is called &#x27;nobody&#x27;"]),
        ("/lineage/footprint?service=nobody", ["is called &#x27;nobody&#x27;"]),
    ],
)
def test_a_page_answers_its_question(client: Client, path: str, said: list[str]) -> None:
    page = read(client, path)
    assert [words for words in said if words not in page] == []
    assert 'aria-label="Questions to lineage"' in page


def test_the_lineage_page_leads_to_the_questions(client: Client) -> None:
    assert 'href="/lineage/orphans"' in read(client, "/lineage")


def test_what_changed_is_listed_with_its_cause(client: Client) -> None:
    since = timezone.now() - timedelta(hours=23, minutes=59)
    page = read(client, f"/lineage/diff?since={since:%Y-%m-%dT%H:%M}")
    assert [word for word in ("appeared", "newcomer", "gone", "left") if word not in page] == []
    narrowed = read(client, f"/lineage/diff?since={since:%Y-%m-%dT%H:%M}&kind=gone&of=thing")
    assert "newcomer" not in narrowed


def test_the_past_is_asked_for_in_the_url(client: Client) -> None:
    page = read(client, "/lineage/orphans?as_of=2020-01-01T00:00")
    assert "As it was observed up to" in page
    assert "as_of=2020-01-01T00%3A00%3A00%2B00%3A00" in page  # the API link asks the same
    assert "never_read" not in page


def test_htmx_gets_the_list_alone(client: Client) -> None:
    answer = client.get("/lineage/orphans?state=never+read", headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert text.lstrip().startswith('<div id="rows">')
    assert text.count('<th scope="row">') == 1


@pytest.mark.parametrize(
    "path",
    [
        "/lineage/diff?since=yesterday",
        "/lineage/diff?as_of=0001-01-01T00:00",
        "/lineage/diff?since=9999-12-31T23:59",
        "/lineage/orphans?as_of=tuesday&sort=-nothing&page=-7&state=none",
        "/lineage/reach?node=nobody&depth=-1",
        f"/lineage/reach?node=ordered&depth={'9' * 5000}&projection=rivers&direction=sideways",
        "/lineage/path?source=%00&target=",
        "/lineage/path?source=mail&target=mail",
        "/lineage/footprint?service=topic:ordered",
        "/lineage/declared?context=nowhere",
    ],
)
def test_odd_queries_are_survived(client: Client, path: str) -> None:
    read(client, path)
