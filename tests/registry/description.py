"""Whether an answer is one that the product's own OpenAPI description tells of."""

import re
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from django.urls import resolve
from jsonschema import Draft202012Validator

from config.openapi import describe

Json = dict[str, Any]
# regular expressions of addresses, down to the parameters' names
_PARAMETER = re.compile(r"\(\?P<(\w+)>(?:\(\?s:[^)]*\)|[^()]*)\)")


def described_path(route: str) -> str:
    """A route's regular expression as the description spells its address."""
    path = _PARAMETER.sub(lambda match: f"{{{match[1]}}}", route)
    return "/" + path.replace("^", "").replace("$", "").replace("/?", "")


def _as_json_schema(value: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(value, list):
        return [_as_json_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _as_json_schema(each) for key, each in value.items() if key != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if value.get("nullable") is True else made


@cache
def _components() -> Json:
    made: Json = _as_json_schema(describe()["components"])
    return made


@cache
def _operation(method: str, route: str) -> Json | None:
    found: Json | None = describe()["paths"].get(described_path(route), {}).get(method.lower())
    return found


@cache
def _shape(method: str, route: str, status: int) -> Draft202012Validator | None:
    """What the body of an answer has to be; None when it is described as having none."""
    operation = _operation(method, route)
    assert operation is not None
    answers = operation["responses"]
    assert str(status) in answers, f"{method} {route}: {status} is not described"
    answer = answers[str(status)]
    if "$ref" in answer:
        answer = describe()["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    shapes = [each.get("schema", {}) for each in answer.get("content", {}).values()]
    if not shapes:
        return None
    assert all(each == shapes[0] for each in shapes), f"{method} {route}: one shape in every type"
    return Draft202012Validator({**_as_json_schema(shapes[0]), "components": _components()})


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Fail when the status, the shape or the error's code is none that the description has.

    `body` is None where there is none. What is no operation has no description.
    """
    route = resolve(unquote(urlsplit(path).path)).route
    if _operation(method, route) is None:
        return
    shape = _shape(method, route, status)
    wrong = ["a body"] if shape is None and body is not None else []
    if shape is not None:
        wrong = [each.message for each in shape.iter_errors(body)]
    assert not wrong, f"{method} {path}: {status} {body} is not as described: {wrong}"
