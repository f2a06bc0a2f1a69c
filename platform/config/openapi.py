"""The product's API description, as JSON for programs and as a page for people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

Json = dict[str, Any]

REST = "/api/v1/"
_NOT_METHODS = frozenset({"parameters", "summary", "description", "servers"})


def describe_problems(result: Json, **_of_generator: Any) -> Json:
    """Say of every REST operation how it refuses (RFC 9457); a spectacular hook."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "description": "urn:insideout: and the code of the error"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"description": "what is wrong with each field"},
        },
    }
    shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
    components.setdefault("responses", {})["Problem"] = {
        "description": "Refused; `type` says why",
        "content": {"application/problem+json": shape},
    }
    for path, _, operation in _operations(result):
        if path.startswith(REST):
            for status in ("4XX", "5XX"):
                operation["responses"].setdefault(
                    status, {"$ref": "#/components/responses/Problem"}
                )
    return result


def name_rooms(result: Json, **_of_generator: Any) -> Json:
    """Tag REST operations by the first part of their address; a spectacular hook."""
    rooms = set()
    for path, _, operation in _operations(result):
        if path.startswith(REST):
            room = path.removeprefix(REST).split("/", maxsplit=1)[0]
            operation["tags"] = [room]
            rooms.add(room)
    result["tags"] = [{"name": room} for room in sorted(rooms)] + result.get("tags", [])
    return result


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method not in _NOT_METHODS:
                yield path, method.upper(), operation


@cache
def describe() -> Json:
    """Return the OpenAPI document; it is the same as long as the process lives."""
    document: Json = SchemaGenerator().get_schema(request=None, public=True)
    return document


@cache
def _rendered() -> bytes:
    rendered: bytes = OpenApiJsonRenderer().render(describe(), renderer_context={})
    return rendered


@require_safe
def show_openapi(_request: HttpRequest) -> HttpResponse:
    """The document as JSON, whatever is asked for: browsers ask for a page and want this too."""
    return HttpResponse(_rendered(), content_type="application/json")


@dataclass(frozen=True)
class Row:
    """One operation on the page."""

    tag: str
    method: str
    path: str
    summary: str
    anchor: str
    parameters: tuple[Json, ...]
    example: str
    answers: tuple[tuple[str, str], ...]


@require_safe
def show_api(request: HttpRequest) -> HttpResponse:
    """Every operation, by room; those below a context are told once and not repeated."""
    document = describe()
    rows = [
        _row(document, path, method, operation)
        for path, method, operation in _operations(document)
        if not operation["operationId"].endswith("_in_context")
    ]
    order = [tag["name"] for tag in document["tags"]]
    rows.sort(key=lambda row: order.index(row.tag))
    about = {tag["name"]: tag.get("description", "") for tag in document["tags"]}
    rooms = [
        (tag, about[tag], list(found)) for tag, found in groupby(rows, key=lambda row: row.tag)
    ]
    return render(request, "config/api.html", {"rooms": rooms, "operations": len(rows)})


def _row(document: Json, path: str, method: str, operation: Json) -> Row:
    answers = (
        (status, _resolved(document, answer)["description"])
        for status, answer in operation["responses"].items()
    )
    return Row(
        tag=operation["tags"][0],
        method=method,
        path=path,
        summary=operation.get("summary") or operation.get("description", ""),
        anchor=operation["operationId"],
        parameters=tuple(
            _resolved(document, parameter) for parameter in operation.get("parameters", ())
        ),
        example=_example(operation),
        answers=tuple(answers),
    )


def _resolved(document: Json, value: Json) -> Json:
    """What a reference into the document's components stands for."""
    if "$ref" not in value:
        return value
    _, _, kind, name = value["$ref"].split("/")
    found: Json = document["components"][kind][name]
    return found


def _example(operation: Json) -> str:
    """The first example of a body."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for example in content.get("examples", {}).values():
            return json.dumps(example["value"], indent=2)
    return ""
