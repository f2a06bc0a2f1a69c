"""The description names exactly the operations, parameters and codes there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver

from config.openapi import describe
from registry.api import urls
from registry.api.boundary import ACCEPTED, Endpoint
from registry.api.openapi import document
from registry.api.openapi.operations import OPERATIONS
from registry.api.openapi.shapes import QUERY_PARAMETERS, SHAPES
from tests.registry.description import check_answer, described_path

ROOT = Path(__file__).parents[2]
METHODS = ("get", "put", "post", "delete")
Json = dict[str, Any]


def _routed(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routed(each.url_patterns, route)
        elif isinstance(each.callback, Endpoint):
            yield from (f"{method} {described_path(route)}" for method in each.callback.operations)


def _described() -> Iterator[tuple[str, Json]]:
    for path, item in describe()["paths"].items():
        if not path.startswith("/api/"):
            yield from ((f"{method.upper()} {path}", item[method]) for method in item)


def test_every_address_is_described_and_every_description_is_an_address() -> None:
    described = dict(_described())
    assert set(described) == {*_routed(urls.urlpatterns), "GET /", "POST /"}
    assert len(OPERATIONS) >= 47 + 17


def test_documented_parameters_are_those_of_the_page() -> None:
    rows = re.findall(
        r"^\| `([A-Z]+ /[^`]*)` \| ([^|]*)\|",
        (ROOT / "docs" / "registry.md").read_text(),
        re.MULTILINE,
    )
    assert {key: tuple(filter(None, told.strip().split(", "))) for key, told in rows} == {
        key: operation.parameters for key, operation in OPERATIONS.items()
    }


def test_every_code_is_some_operations() -> None:
    told = {
        code
        for _, operation in _described()
        for answer in operation["responses"].values()
        if "$ref" in answer
        for code in map(int, answer["$ref"].split("-")[1:])
    }
    assert told == set(document.statuses())


def test_every_operation_is_complete() -> None:
    names = [operation["operationId"] for _, operation in _described()]
    assert len(names) == len(set(names))
    for key, operation in _described():
        assert operation["summary"], key
        assert ("200" in operation["responses"]) != ("204" in operation["responses"]), key
        assert {"400", "404", "406", "500", "503"} <= set(operation["responses"]), key
        if "requestBody" in operation:
            assert set(operation["requestBody"]["content"]) == set(ACCEPTED)
            assert {"413", "415"} <= set(operation["responses"]), key


def test_a_twin_differs_only_by_its_context() -> None:
    described = dict(_described())
    for key, operation in OPERATIONS.items():
        method, path = key.split(" ")
        twin = described.get(f"{method} /contexts/{{context}}{path}")
        assert (twin is not None) == operation.twin
        if twin is not None:
            assert twin["responses"].keys() == described[key]["responses"].keys() | {"405"}
            assert {"$ref": "#/components/parameters/path-context"} in twin["parameters"]


@pytest.mark.parametrize("kind", ["parameters", "schemas", "responses"])
def test_what_is_named_is_there_and_what_is_there_is_named(kind: str) -> None:
    text = (ROOT / "docs" / "openapi.json").read_text()
    named = set(re.findall(rf'"#/components/{kind}/([^"]+)"', text))
    there = set(describe()["components"][kind])
    assert named <= there
    own = {each for each in there if each.startswith(("Registry", "path-", "query-"))}
    assert own <= named


def test_no_shape_is_left_over() -> None:
    used = {name for each in OPERATIONS.values() for name in each.parameters}
    assert used == set(QUERY_PARAMETERS)
    answers = {each.answer or "Error" for each in OPERATIONS.values()}
    assert answers - {"Text"} <= set(SHAPES)


def test_an_answer_that_is_not_described_fails_its_test() -> None:
    """Every answer in these tests is held against the description; this holds the holding."""
    check_answer("GET", "/subjects?deleted=true", 200, ["s"])
    check_answer(
        "GET", "/contexts/c/subjects/a%2Fb/versions", 404, {"error_code": 40401, "message": ""}
    )
    for method, path, status, body in (
        ("GET", "/subjects", 200, [1]),
        ("GET", "/subjects", 201, ["s"]),
        ("GET", "/subjects/s/versions", 404, {"error_code": 40403, "message": ""}),
        ("GET", "/subjects/s/versions", 404, {"error_code": 40401, "message": "", "more": 1}),
        ("GET", "/subjects/s/versions/1", 200, {"subject": "s"}),
        ("DELETE", "/dek-registry/v1/keks/k", 204, {}),
    ):
        with pytest.raises(AssertionError):
            check_answer(method, path, status, body)
