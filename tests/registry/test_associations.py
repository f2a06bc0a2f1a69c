"""/associations: topics bound to subjects."""

from typing import Any
from uuid import UUID

import pytest

from tests.registry.conftest import Registry

Json = dict[str, Any]


def _body(subject: str = "orders-value", **more: Any) -> Json:
    return {
        "resourceName": "orders",
        "resourceNamespace": "lkc1",
        "resourceId": "lkc1:orders",
        "resourceType": "topic",
        "associations": [{"subject": subject, "associationType": "value", **more}],
    }


@pytest.fixture
def bound(registry: Registry) -> Registry:
    """One subject, bound to one topic."""
    registry.register("orders-value", '"string"')
    status, body = registry.call("POST", "/associations", _body())
    assert status == 200, body
    return registry


def test_an_unknown_resource(registry: Registry) -> None:
    path = "/associations/resources/-/orders?resourceType=topic&associationType=value"
    assert registry.error("GET", path) == (404, 40410)
    assert registry.error("GET", "/associations/resources/r") == (404, 40410)
    assert registry.get("/associations/subjects/s") == []


def test_found_each_way(bound: Registry) -> None:
    for path in ("resources/-/orders", "resources/lkc1/orders", "subjects/orders-value"):
        found = bound.get(f"/associations/{path}")
        assert [each["subject"] for each in found] == ["orders-value"]
    shown = bound.get("/associations/resources/lkc1:orders")[0]
    assert shown["lifecycle"] == "WEAK"
    assert UUID(shown["guid"]).version == 5
    assert bound.error("GET", "/associations/resources/-/orders?associationType=key") == (
        404,
        40410,
    )
    found = bound.get("/schemas?resourceType=topic&associationType=value&lifecycle=weak")
    assert [each["subject"] for each in found] == ["orders-value"]


def test_with_a_schema_the_subject_is_made(registry: Registry) -> None:
    body = _body(schema={"schema": '"int"'}, lifecycle="STRONG")
    status, made = registry.call("POST", "/associations?includeSchemas=true", body)
    assert status == 200
    assert made["associations"][0]["schema"]["schema"] == '"int"'
    assert registry.get("/subjects") == ["orders-value"]


def test_conflicts(bound: Registry) -> None:
    bound.register("other", '"string"')
    assert bound.error("POST", "/associations", _body("other")) == (409, 40902)
    strong = {**_body(lifecycle="STRONG"), "resourceId": "x"}
    assert bound.error("POST", "/associations", strong) == (409, 40905)
    assert bound.call("PUT", "/associations", _body(lifecycle="STRONG", frozen=True))[0] == 200
    assert bound.error("POST", "/associations", {**_body(), "resourceId": "y"}) == (409, 40904)
    assert bound.error("PUT", "/associations", _body(lifecycle="WEAK")) == (409, 40903)
    assert bound.error("DELETE", "/associations/resources/lkc1:orders") == (409, 40903)


def test_what_is_refused(registry: Registry) -> None:
    wrong: list[Json] = [
        {**_body(), "resourceType": "table"},
        _body(associationType="x"),
        _body(lifecycle="x"),
        {**_body(), "associations": []},
        {"associations": []},
    ]
    for body in wrong:
        assert registry.error("POST", "/associations", body) == (422, 42212)
    assert registry.error("POST", "/associations", _body("nowhere")) == (404, 40401)
    assert registry.error("POST", "/associations", {}) == (400, 400)


def test_dry_run_and_delete(bound: Registry) -> None:
    other = {**_body(), "resourceId": "two", "resourceName": "two"}
    assert bound.call("POST", "/associations?dryRun=true", other)[0] == 200
    assert bound.error("GET", "/associations/resources/two") == (404, 40410)
    assert bound.call("DELETE", "/associations/resources/lkc1:orders") == (204, None)
    assert bound.error("DELETE", "/associations/resources/lkc1:orders") == (404, 40410)
    assert bound.get("/subjects") == ["orders-value"]


def test_cascade_takes_a_strong_ones_subject_along(registry: Registry) -> None:
    registry.call("POST", "/associations", _body(schema={"schema": '"int"'}, lifecycle="STRONG"))
    path = "/associations/resources/lkc1:orders"
    assert registry.call("DELETE", f"{path}?cascadeLifecycle=true") == (204, None)
    assert registry.get("/subjects") == []


def test_batches(bound: Registry) -> None:
    requests = {"requests": [{**_body(), "resourceId": "a"}, _body("nowhere")]}
    status, body = bound.call("POST", "/associations:batch", requests)
    assert status == 200
    assert body["results"][0]["result"]["resourceId"] == "a"
    assert body["results"][1]["error"]["error_code"] == 40902
    status, body = bound.call("POST", "/associations:batchMutate", requests)
    assert body["results"][0]["result"]["resourceId"] == "a"
    wanted = {"requests": [{"resourceId": "a"}, {"resourceName": "orders"}, {"resourceId": "b"}]}
    status, body = bound.call("POST", "/associations:batchGet", wanted)
    assert [len(each.get("result", ())) for each in body["results"]] == [1, 2, 0]
    assert body["results"][2]["error"]["error_code"] == 40410


def test_a_bound_subject_is_not_deleted(bound: Registry) -> None:
    assert bound.error("DELETE", "/subjects/orders-value") == (409, 40905)
    assert bound.call("PUT", "/associations", _body(lifecycle="STRONG"))[0] == 200
    assert bound.error("DELETE", "/subjects/orders-value") == (409, 40904)
    bound.call("DELETE", "/associations/resources/lkc1:orders")
    assert bound.call("DELETE", "/subjects/orders-value") == (200, [1])


def test_all_or_nothing(bound: Registry) -> None:
    two = {**_body(), "resourceId": "two", "resourceName": "two"}
    refused = {**two, "associations": [{"subject": "orders-value", "schema": {"schema": '"int"'}}]}
    for query in ("", "?dryRun=true"):
        assert bound.error("POST", f"/associations{query}", refused) == (409, 40901)
        assert bound.error("GET", "/associations/resources/two") == (404, 40410)
    new = {"subject": "new", "schema": {"schema": '"int"'}, "lifecycle": "STRONG"}
    taken = {"subject": "orders-value", "associationType": "key", "lifecycle": "STRONG"}
    assert bound.error("POST", "/associations", {**two, "associations": [new, taken]}) == (
        409,
        40905,
    )
    assert bound.get("/subjects") == ["orders-value"]


def test_below_a_context(registry: Registry) -> None:
    registry.register("orders-value", '"int"', prefix="/contexts/c")
    for path in ("/contexts/c/associations", "/associations?context=.c"):
        assert registry.call("PUT", path, _body())[0] == 200
    found = registry.get("/associations/resources/lkc1/orders")
    assert [each["subject"] for each in found] == [":.c:orders-value"]
    assert registry.get("/contexts/c/associations/subjects/orders-value") == found
    assert registry.get("/associations/resources/lkc1/orders?offset=1") == []
