"""Pages as a client gets them: status, weight, queries, escaping, and `{}` for programs."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Topic
from tests.e2e import estate as estates
from tests.e2e.estate import HOSTILE, Estate, page_paths

PAGE = {"Accept": "text/html"}
MOST_BYTES = 200 * 1024
MOST_QUERIES = 60


class _Attributes(HTMLParser):
    """Collects the names of all attributes of a page, and elements that hold code."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one element."""
        self.names |= {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.names.add("style")


def _inline(body: str) -> set[str]:
    parser = _Attributes()
    parser.feed(body)
    return {name for name in parser.names if name == "style" or name.startswith("on")}


@pytest.fixture
def estate(db: None) -> Estate:
    return estates.build()


def test_every_page_answers_light_safe_and_with_few_queries(client: Client, estate: Estate) -> None:
    for name, path in page_paths(estate).items():
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path, headers=PAGE)
        body = answer.content.decode()
        assert answer.status_code == 200, name
        assert len(answer.content) <= MOST_BYTES, name
        assert len(queries) <= MOST_QUERIES, (name, len(queries))
        assert HOSTILE not in body, name
        assert _inline(body) == set(), name
        assert "<main" in body, name


def test_lists_ask_as_much_of_the_database_for_many_rows_as_for_few(
    client: Client, estate: Estate
) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as made:
            client.get(path, headers=PAGE)
        return len(made)

    queries("/topics")  # what lineage remembers from then on
    few = queries("/topics")
    Topic.objects.bulk_create(
        Topic(cluster=estate.cluster, name=f"t{number:04}", partitions=1) for number in range(120)
    )
    assert queries("/topics") == few
    assert client.get("/topics", headers=PAGE).content.decode().count("<tr>") == 51


@pytest.mark.parametrize("path", ["/topics", "/services", "/registry", "/copies", "/findings"])
def test_htmx_gets_the_rows_alone_from_the_same_address(
    client: Client, estate: Estate, path: str
) -> None:
    fragment = client.get(f"{path}?q=orders", headers=PAGE | {"HX-Request": "true"})
    whole = client.get(f"{path}?q=orders", headers=PAGE)
    assert "HX-Request" in fragment["Vary"]
    assert b"<html" not in fragment.content
    assert b'id="rows"' in fragment.content
    assert b"<html" in whole.content


def test_a_program_at_the_root_gets_an_empty_object(client: Client, db: None) -> None:
    answer = client.get("/", headers={"Accept": "application/vnd.schemaregistry.v1+json"})
    assert answer.json() == {}
    assert client.get("/").json() == {}


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/topics/local/none",
        "/services/none",
        "/bounded-contexts/none",
        "/registry/subjects/none",
        "/registry/subjects/orders-value?version=99",
        "/copies/none",
        "/runs/00000000-0000-0000-0000-000000000000",
    ],
)
def test_what_is_not_there_is_said_on_a_page(client: Client, estate: Estate, path: str) -> None:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 404
    assert "<main" in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/topics", "/services", "/registry", "/lineage", "/copies"])
def test_an_empty_page_teaches_the_command_that_fills_it(
    client: Client, db: None, path: str
) -> None:
    body = client.get(path, headers=PAGE).content.decode()
    assert 'class="command"' in body


def test_odd_queries_are_survived(client: Client, estate: Estate) -> None:
    for path in (
        "/topics?sort=-nothing&page=-7&state=none",
        "/topics?sort=-records&page=zero",
        "/lineage?focus=nobody&hops=1000&as_of=yesterday",
        "/lineage?as_of=2020-01-01T00:00",
        "/lineage?focus=topic:orders&hops=%C2%B2",
        "/search?q=",
        f"/search?q={'x' * 3000}",
    ):
        assert client.get(path, headers=PAGE).status_code == 200, path


def test_as_of_shows_what_was_known_then(client: Client, estate: Estate) -> None:
    then = client.get("/lineage?as_of=2020-01-01T00:00", headers=PAGE).content.decode()
    assert "No flow of data was observed up to then" in then
    assert "topic:orders" in client.get("/lineage", headers=PAGE).content.decode()


def _weight(folder: str, ending: str) -> int:
    root = Path(settings.BASE_DIR) / "static" / folder
    return sum(file.stat().st_size for file in root.rglob(f"*.{ending}"))


def test_styles_and_scripts_stay_light() -> None:
    assert _weight("css", "css") <= 40 * 1024
    assert _weight("js", "js") <= 60 * 1024


def test_acts_take_a_post_and_a_token(client: Client, estate: Estate) -> None:
    assert client.get("/copies/orders_sqlite/regenerate", headers=PAGE).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/copies/orders_sqlite/regenerate", headers=PAGE).status_code == 403


def test_regenerate_leads_to_its_run_and_so_does_a_second_press(
    client: Client, estate: Estate
) -> None:
    first = client.post("/copies/orders_sqlite/regenerate", headers=PAGE)
    second = client.post("/copies/orders_sqlite/regenerate", follow=True, headers=PAGE)
    assert first.status_code == 302
    assert second.redirect_chain[-1][0] == first["Location"]
    assert "being regenerated already" in second.content.decode()


def test_pause_and_resume_change_the_state(client: Client, estate: Estate) -> None:
    client.post("/copies/orders_sqlite/pause", headers=PAGE)
    estate.connector.refresh_from_db()
    assert estate.connector.state == "paused"
    client.post("/copies/orders_sqlite/resume", headers=PAGE)
    estate.connector.refresh_from_db()
    assert estate.connector.state == "live"
