"""The description of requests' texts: what it shuts out is refused, what it lets in is taken."""

import re
from typing import Any

import pytest
from django.test import Client

from config.openapi import describe

TEXTS = ["a", " a ", "", " ", "\t\n", "a\0b", "\0", "ö/?%", "x" * 600, "x" * 601]


def described(path: str, method: str, name: str) -> dict[str, Any]:
    parameters = describe()["paths"][path][method]["parameters"]
    found: dict[str, Any] = next(each["schema"] for each in parameters if each["name"] == name)
    return found


def lets_in(shape: dict[str, Any], text: str) -> bool:
    return (
        shape.get("minLength", 0) <= len(text) <= shape.get("maxLength", 1000)
        and re.search(shape.get("pattern", ""), text) is not None
    )


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/lineage/permissions", "topic"),
        ("/api/v1/lineage/edges", "source"),
        ("/api/v1/lineage/footprint", "service"),
        ("/api/v1/lineage/fields", "node"),
    ],
)
def test_a_parameter_is_taken_as_described(db: None, path: str, name: str, text: str) -> None:
    status = Client().get(path, {name: text}).status_code
    assert (status != 400) is lets_in(described(path, "get", name), text)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("field", ["name", "service", "by"])
def test_a_body_is_taken_as_described(db: None, field: str, text: str) -> None:
    shape = describe()["components"]["schemas"]["NewClaim"]["properties"][field]
    body = {"kind": "group", "name": "g", "service": "s", field: text}
    status = Client().post("/api/v1/lineage/claims", body, "application/json").status_code
    assert (status != 400) is lets_in(shape, text)


def test_what_is_replayed_and_regenerated_is_told() -> None:
    schemas = describe()["components"]["schemas"]
    assert not lets_in(schemas["RecordPlace"]["properties"]["topic"], " ")
    assert schemas["Regenerate"]["properties"]["as_of"]["format"] == "date-time"
    assert schemas["Regenerate"]["additionalProperties"] is False
    assert schemas["Replay"]["properties"]["records"]["minItems"] == 1
    assert "date-time" in str(described("/api/v1/lineage/permissions", "get", "as_of"))


def test_no_parameter_lets_a_nul_in() -> None:
    told = frozenset({"enum", "format", "oneOf"})
    parameters = [
        (path, parameter["name"], parameter["schema"])
        for path, item in describe()["paths"].items()
        if path.startswith("/api/v1/")
        for operation in item.values()
        for parameter in operation.get("parameters", ())
    ]
    texts = [
        each for each in parameters
        if each[2].get("type") == "string" and not each[2].keys() & told
    ]  # fmt: skip
    assert len(texts) > 50
    assert [each for each in texts if lets_in(each[2], "\0")] == []


def test_answers_promise_nothing_of_their_texts() -> None:
    quarantined = describe()["components"]["schemas"]["Quarantine"]["properties"]
    assert not quarantined["reason"].keys() & {"pattern", "minLength"}
