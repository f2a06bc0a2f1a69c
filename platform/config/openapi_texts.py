"""Describes what requests may hold: Django REST framework refuses more than drf-spectacular tells.

Each text field refuses a NUL and, unless it may be blank, white space alone; a list that may not
be empty refuses to be. A NUL in an address is refused too: PostgreSQL cannot look for it.
"""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework.serializers import CharField, Field, ListField, ListSerializer, Serializer

Json = dict[str, Any]

_STORABLE = r"^[^\u0000]*$"
_NOT_BLANK = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
_SAID_OTHERWISE = frozenset({"pattern", "format", "enum", "oneOf", "allOf", "$ref"})


class RestSchema(AutoSchema):
    """The description of one REST operation, its requests narrowed to what is taken."""

    def _map_basic_serializer(self, serializer: Serializer[Any], direction: str) -> Json:
        described: Json = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request":
            for name, field in force_instance(serializer).fields.items():
                if not field.read_only:
                    _narrow_field(described["properties"][name], field)
        return described

    def _get_parameters(self) -> list[Json]:
        parameters: list[Json] = super()._get_parameters()
        for parameter in parameters:
            _narrow(parameter["schema"], _STORABLE)
        return parameters


def _narrow_field(shape: Json, field: Field[Any, Any, Any, Any]) -> None:
    match field:
        case ListField(allow_empty=False) | ListSerializer(allow_empty=False):
            shape["minItems"] = max(1, shape.get("minItems", 1))
        case CharField(allow_blank=True):
            _narrow(shape, _STORABLE)
        case CharField():
            shape.setdefault("minLength", 1)
            _narrow(shape, _NOT_BLANK if field.trim_whitespace else _STORABLE)


def _narrow(shape: Json, pattern: str) -> None:
    if shape.get("type") == "string" and not shape.keys() & _SAID_OTHERWISE:
        shape["pattern"] = pattern
