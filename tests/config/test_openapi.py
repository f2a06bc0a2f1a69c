"""The API description: served to anyone, valid, equal to the snapshot, shown as a page."""

import json
from pathlib import Path

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from config.openapi import describe

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/json", "text/css"])
def test_everyone_gets_json(accept: str) -> None:
    answer = Client().get("/api/openapi.json", headers={"Accept": accept} if accept else None)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.content)["openapi"].startswith("3.")


def test_the_document_is_valid_and_holds_both_apis() -> None:
    document = describe()
    validate_schema(document)
    assert {"/api/v1/topics", "/subjects/{subject}/versions"} <= set(document["paths"])
    assert "/contexts/{context}/subjects/{subject}/versions" in document["paths"]


def test_the_snapshot_is_the_document() -> None:
    answer = Client().get("/api/openapi.json")
    assert json.loads(SNAPSHOT.read_text()) == answer.json(), (
        "the API changed: look at the difference that `make openapi` makes, and commit it"
    )


def test_every_refusal_of_the_rest_api_is_a_problem() -> None:
    for path, item in describe()["paths"].items():
        if path.startswith("/api/v1/"):
            for operation in item.values():
                assert {"4XX", "5XX"} <= set(operation["responses"]), path


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_page_lists_every_operation_once(db: None, path: str) -> None:
    page = Client().get(path)
    assert page.status_code == 200
    text = page.content.decode()
    ids = [
        operation["operationId"]
        for item in describe()["paths"].values()
        for operation in item.values()
    ]
    for name in ids:
        assert text.count(f'id="{name}"') == (not name.endswith("_in_context")), name
    assert "40901" in text
