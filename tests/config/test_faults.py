"""An address that leads nowhere is told in the asker's own language."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_api_answers_with_a_problem(client: Client) -> None:
    answer = client.get("/api/v1/nothing", HTTP_ACCEPT="text/html")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:insideout:not-found",
        "title": "not found",
        "status": 404,
        "detail": "there is nothing at /api/v1/nothing",
    }


def test_a_program_gets_a_problem(client: Client) -> None:
    assert client.get("/nothing").headers["Content-Type"] == "application/problem+json"


def test_a_browser_gets_a_page(client: Client) -> None:
    answer = client.get("/nothing", HTTP_ACCEPT="text/html,*/*")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/")


def test_a_registry_client_gets_confluents_error(client: Client) -> None:
    answer = client.get("/schemas/nothing/at/all")
    assert answer.json() == {"error_code": 404, "message": "HTTP 404 Not Found"}
    assert answer.headers["Content-Type"].startswith("application/vnd.schemaregistry.v1+json")


def test_an_unknown_host_is_told_where_to_name_it(client: Client) -> None:
    for path, accept in (("/", "text/html"), ("/api/v1/topics", "*/*"), ("/subjects", "*/*")):
        answer = client.get(path, HTTP_HOST="kafka.example:8080", HTTP_ACCEPT=accept)
        assert answer.status_code == 400
        said = answer.content.decode()
        assert "kafka.example:8080" in said
        assert "ALLOWED_HOSTS" in said
        assert answer.headers["Content-Type"].startswith("text/html") == (accept == "text/html")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_the_root_refuses_as_a_registry_does(method: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, "/")
    assert answer.status_code == 405
    assert answer.json() == {"error_code": 405, "message": "HTTP 405 Method Not Allowed"}
    assert answer.headers["Content-Type"].startswith("application/vnd.schemaregistry.v1+json")
    assert answer.headers["Allow"] == "GET, HEAD, POST"
