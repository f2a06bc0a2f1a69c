"""Calls the registry over HTTP; every test has a database of its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.registry.description import check_answer

V1 = "application/vnd.schemaregistry.v1+json"
Json = dict[str, Any]


class Registry:
    """A client that speaks the registry's content type and hands back (status, body)."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one request; a body that is not JSON comes back as text.

        Every answer has to be one that the API's description tells of.
        """
        data = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        response = self.client.generic(
            method, path, data.encode(), content_type=V1, headers=headers or None
        )
        text = response.content.decode()
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            answer = text
        check_answer(method, path, response.status_code, answer)
        return response.status_code, answer

    def get(self, path: str, **headers: str) -> Any:
        """GET that must succeed."""
        status, body = self.call("GET", path, **headers)
        assert status == 200, (path, status, body)
        return body

    def register(self, subject: str, schema: Any, prefix: str = "", **more: Any) -> Json:
        """Register a schema (a dict is sent as its text); must succeed. Answers the version."""
        status, body = self.call(
            "POST", f"{prefix}/subjects/{subject}/versions", {"schema": text_of(schema), **more}
        )
        assert status == 200, body
        found: Json = self.get(f"{prefix}/subjects/{subject}/versions/{body['version']}")
        assert (found["id"], found["guid"]) == (body["id"], body["guid"])
        return found

    def error(self, method: str, path: str, body: Any = None) -> tuple[int, int]:
        """The HTTP status and the error code of a request that must fail."""
        status, answer = self.call(method, path, body)
        assert set(answer) == {"error_code", "message"}, answer
        return status, answer["error_code"]


def text_of(schema: Any) -> str:
    """A schema as text."""
    return schema if isinstance(schema, str) else json.dumps(schema)


def record(name: str = "Order", **fields: Any) -> Json:
    """An Avro record; a field given as (type, default) has that default."""
    made = []
    for key, kind in fields.items():
        if isinstance(kind, tuple):
            made.append({"name": key, "type": kind[0], "default": kind[1]})
        else:
            made.append({"name": key, "type": kind})
    return {"type": "record", "name": name, "fields": made}


@pytest.fixture
def registry(db: None) -> Registry:
    """The registry over HTTP."""
    return Registry()


@pytest.fixture
def make_record() -> Callable[..., Json]:
    """`record`, for tests that want it as a fixture."""
    return record
