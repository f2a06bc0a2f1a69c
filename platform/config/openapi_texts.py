"""Describes which texts a request may hold: Django REST framework refuses more than OpenAPI sees.

Each text field of it refuses a NUL and, unless it may be blank, white space alone; texts in an
address that hold a NUL are refused too, since PostgreSQL cannot look for them.
"""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework.serializers import CharField, Serializer

Json = dict[str, Any]

_STORABLE = r"^[^\u0000]*$"
_NOT_BLANK = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
_SAID_OTHERWISE = frozenset({"pattern", "format", "enum", "oneOf", "allOf", "$ref"})


class RestSchema(AutoSchema):
    """The description of one REST operation, its requests' texts narrowed to what is taken."""

    def _map_basic_serializer(self, serializer: Serializer[Any], direction: str) -> Json:
        described: Json = super()._map_basic_serializer(serializer, direction)
        if direction == "request":
            for name, field in force_instance(serializer).fields.items():
                if isinstance(field, CharField) and not field.read_only:
                    _narrow_field(described["properties"][name], field)
        return described

    def _get_parameters(self) -> list[Json]:
        parameters: list[Json] = super()._get_parameters()
        for parameter in parameters:
            _narrow(parameter["schema"], _STORABLE)
        return parameters


def _narrow_field(shape: Json, field: CharField) -> None:
    if field.allow_blank:
        _narrow(shape, _STORABLE)
        return
    shape.setdefault("minLength", 1)
    _narrow(shape, _NOT_BLANK if field.trim_whitespace else _STORABLE)


def _narrow(shape: Json, pattern: str) -> None:
    if shape.get("type") == "string" and not shape.keys() & _SAID_OTHERWISE:
        shape["pattern"] = pattern
