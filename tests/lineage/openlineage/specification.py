"""The schemas that OpenLineage publishes, from a folder that whoever runs the tests has fetched.

They are not part of this repository; CONTRIBUTING.md says how to fetch them.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

SPEC = "https://openlineage.io/spec"
OURS = "urn:insideout:openlineage:"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
CORE = f"{SPEC}/2-0-2/OpenLineage.json"

strict = FormatChecker(formats=())
"""The formats by the letter of their RFCs, stricter than what is taken from others."""

_RFC3339 = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)"
)
_CHARACTER = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_RFC3986 = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:"
    rf"(//({_CHARACTER}*|({_CHARACTER}*@)?\[[0-9A-Fa-f:.]+\](:\d*)?)(?=[/?#]|$))?"
    rf"({_CHARACTER}|/)*(\?({_CHARACTER}|[/?])*)?(\#({_CHARACTER}|[/?]|\$)*)?"
)


@strict.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


@strict.checks("date-time")
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or bool(_RFC3339.fullmatch(value))


@strict.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(_RFC3986.fullmatch(value))


def _documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the schemas below a folder by their addresses, and pass over what else is there."""
    for path in sorted(folder.rglob("*.json")):
        try:
            read = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError:
            continue
        address = read.get("$id") if isinstance(read, dict) else None
        if isinstance(address, str) and address.startswith(f"{SPEC}/"):
            yield address, read


class Published:
    """The schemas of a folder, found by the address that each says it has (`$id`)."""

    def __init__(self, folder: Path) -> None:
        found = dict(_documents(folder))
        self.ids = frozenset(found)
        self._registry: Registry[Any] = Registry().with_resources(
            (address, Resource.from_contents(one)) for address, one in found.items()
        )
        self._validator = cache(self._made)

    def _made(self, url: str, formats: FormatChecker) -> Draft202012Validator:
        schema = {"$schema": _DRAFT, "$ref": url}
        return Draft202012Validator(schema, registry=self._registry, format_checker=formats)

    def errors(self, url: str, value: Any) -> list[str]:
        """Return what the schema at this address has against a value."""
        return [
            f"{error.json_path}: {error.message}"
            for error in self._validator(url, strict).iter_errors(value)
        ]

    def allows(self, url: str, value: Any, formats: FormatChecker) -> bool:
        """Whether the schema at this address allows a value."""
        return self._validator(url, formats).is_valid(value)


def facets_of(event: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Return each facet of an event: which sort it must be, its key, and the facet."""
    single = [("RunFacet", event.get("run")), ("JobFacet", event.get("job"))]
    datasets = [*event.get("inputs", ()), *event.get("outputs", ()), event.get("dataset")]
    for sort, holder in [*single, *(("DatasetFacet", one) for one in datasets)]:
        for place, kind in (
            ("facets", sort),
            ("inputFacets", "InputDatasetFacet"),
            ("outputFacets", "OutputDatasetFacet"),
        ):
            for key, facet in ((holder or {}).get(place) or {}).items():
                yield kind, key, facet
