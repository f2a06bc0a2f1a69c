"""Adds the registry to the OpenAPI description that drf-spectacular makes of the REST API."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from re import findall
from typing import Any

from registry import errors
from registry.api.boundary import ACCEPTED
from registry.api.openapi.operation import Operation
from registry.api.openapi.operations import OPERATIONS
from registry.api.openapi.shapes import EXAMPLES, PATH_PARAMETERS, QUERY_PARAMETERS, SHAPES
from registry.keys import errors as keys_errors

Json = dict[str, Any]
CONTEXT = "/contexts/{context}"

_ALWAYS = (400, 404, 406, 500, 50001)
_OF_BODIES = (413, 415)
_PROTOCOL = {
    400: "The request, or a field of its body, is not readable",
    404: "No such address, or a number in it is none",
    405: "No such method at the address that the parameters make",
    406: "None of the content types asked for is offered",
    413: "The body is larger than MAX_BODY_BYTES",
    415: "The body's content type is none of those read",
    500: "A fault of the server; logged there",
}
_TAGS = {
    "": "The registry: probes, metadata of the server",
    "subjects": "The registry: subjects and their versions",
    "schemas": "The registry: schemas by id and GUID",
    "compatibility": "The registry: compatibility checks",
    "config": "The registry: compatibility levels and other config",
    "mode": "The registry: modes",
    "contexts": "The registry: contexts, and every operation below one",
    "associations": "The registry: subjects of resources",
    "dek-registry": "The registry: keys for encrypted fields",
}
_HEADERS: dict[int, Json] = {
    405: {"Allow": {"schema": {"type": "string"}, "description": "The methods there are"}},
    503: {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds"}},
}


def add_registry(result: Json, **_of_generator: Any) -> Json:
    """Put paths, tags and components of the registry into the description; a spectacular hook."""
    components = result.setdefault("components", {})
    responses: dict[str, Json] = {}
    result["paths"] = {**result["paths"], **_paths(responses)}
    result["tags"] = [
        *result.get("tags", ()),
        *({"name": _tag(root), "description": about} for root, about in _TAGS.items()),
    ]
    for kind, made in {
        "parameters": dict(_parameters()),
        "responses": dict(sorted(responses.items())),
        "schemas": {f"Registry{name}": shape for name, shape in sorted(SHAPES.items())},
    }.items():
        components[kind] = {**components.get(kind, {}), **made}
    return result


def statuses() -> dict[int, int]:
    """The HTTP status of every code."""
    return {each.error_code: each.http_status for each in _classes(errors.RegistryError)} | {
        code: code for code in _PROTOCOL
    }


def _classes(base: type[errors.RegistryError]) -> Iterator[type[errors.RegistryError]]:
    for each in base.__subclasses__():
        if "error_code" in vars(each):
            yield each
        yield from _classes(each)


def _meanings() -> dict[int, str]:
    """What each code says, in the words of its error class."""
    found = dict(_PROTOCOL)
    # the classes of keys/errors.py are subclasses too, once it is imported
    assert keys_errors.KeyInvalidError.error_code
    for each in _classes(errors.RegistryError):
        said = str(each.__doc__).rstrip(".")
        found[each.error_code] = (
            f"{found[each.error_code]}; {said}" if each.error_code in found else said
        )
    return found


def _paths(responses: dict[str, Json]) -> Json:
    paths: Json = {}
    for address, operation in OPERATIONS.items():
        method, path = address.split(" ")
        places = [(path, "")]
        if operation.twin:
            places.append((CONTEXT + path, "_in_context"))
        for place, suffix in places:
            made = _operation(place, operation, suffix, responses)
            paths.setdefault(place, {})[method.lower()] = made
    return paths


def _operation(path: str, operation: Operation, suffix: str, responses: dict[str, Json]) -> Json:
    names = findall(r"{(\w+)}", path)
    query = [
        each for each in operation.parameters if not (each == "context" and "context" in names)
    ]
    made: Json = {
        "operationId": operation.id + suffix,
        "summary": operation.summary,
        "tags": [_tag(path.split("/")[1].split(":", maxsplit=1)[0])],
        "responses": _responses(operation, suffix, bool(names), responses),
    }
    parameters = [f"path-{each}" for each in names] + [f"query-{each}" for each in query]
    if parameters:
        made["parameters"] = [{"$ref": f"#/components/parameters/{each}"} for each in parameters]
    if operation.body:
        shape: Json = {"schema": {"$ref": f"#/components/schemas/Registry{operation.body}"}}
        if operation.body in EXAMPLES:
            shape["examples"] = EXAMPLES[operation.body]
        made["requestBody"] = {"required": True, "content": dict.fromkeys(ACCEPTED, shape)}
    return made


def _tag(root: str) -> str:
    return f"registry {root}" if root in _TAGS and root else "registry"


def _responses(
    operation: Operation, suffix: str, addressed: bool, responses: dict[str, Json]
) -> Json:
    if operation.answer:
        # a schema's text comes as such under a JSON type: of Protobuf it is none, and has no shape
        text = operation.answer == "Text"
        shape = {"schema": {"$ref": f"#/components/schemas/Registry{operation.answer}"}}
        content = dict.fromkeys(_types(operation), {} if text else shape)
        good: Json = {"description": "The schema's text" if text else "Done", "content": content}
        if operation.links:
            good["links"] = {each + suffix: _link(each, suffix) for each in operation.links}
        made = {"200": good}
    else:
        made = {"204": {"description": "Done"}}
    codes = {*operation.codes, *_ALWAYS}
    codes |= {405} if addressed else set()
    codes |= set(_OF_BODIES) if operation.body else set()
    status_of = statuses()
    for status in sorted({status_of[code] for code in codes}):
        of_status = sorted(code for code in codes if status_of[code] == status)
        name = "-".join(["RegistryRefusal", *map(str, of_status)])
        responses.setdefault(name, _refusal(status, of_status))
        made[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return made


def _types(operation: Operation) -> Iterable[str]:
    """The root is shared with the overview's page, which browsers get."""
    return ("application/json",) if operation.answer == "Empty" else ACCEPTED


def _refusal(status: int, codes: list[int]) -> Json:
    meanings = _meanings()
    said = [f"- {code}: {meanings[code]}" for code in codes]
    shape = {
        "allOf": [
            {"$ref": "#/components/schemas/RegistryError"},
            {"properties": {"error_code": {"enum": codes}}},
        ]
    }
    made: Json = {
        "description": "\n".join([HTTPStatus(status).phrase, "", *said]),
        "content": {each: {"schema": shape} for each in ACCEPTED},
    }
    return made | ({"headers": _HEADERS[status]} if status in _HEADERS else {})


def _link(target: str, suffix: str) -> Json:
    """How the answer's values, else the request's, fill the target's path."""
    path = next(key.split(" ")[1] for key, each in OPERATIONS.items() if each.id == target)
    values = {
        "subject": "$request.path.subject",
        "version": "$response.body#/version",
        "schema_id": "$response.body#/id",
        "guid": "$response.body#/guid",
        "name": "$response.body#/name" if "kek" in target or target == "create_dek" else "",
    }
    if "subject" in path and "keks" in path:
        values["name"] = "$request.path.name"
    filled = {each: values[each] for each in findall(r"{(\w+)}", path)}
    if suffix:
        filled["context"] = "$request.path.context"
    return {"operationId": target + suffix, "parameters": filled}


def _parameters() -> Iterator[tuple[str, Json]]:
    for where, known in (("path", PATH_PARAMETERS), ("query", QUERY_PARAMETERS)):
        for name, (shape, about) in known.items():
            made: Json = {"name": name, "in": where, "description": about, "schema": shape}
            yield f"{where}-{name}", made | ({"required": True} if where == "path" else {})
