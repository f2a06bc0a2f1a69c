"""The schema formats, one module each, behind one contract. Pure: no Django."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import get_args

from registry.formats.contract import Format, FormatName, Parsed

NAMES: tuple[FormatName, ...] = get_args(FormatName)
_MODULES: Mapping[str, str] = {
    "AVRO": "registry.formats.avro",
    "JSON": "registry.formats.json_schema",
    "PROTOBUF": "registry.formats.protobuf",
}


@cache
def get(name: str) -> Format:
    """The format of that name (AVRO, JSON, PROTOBUF); KeyError for another name.

    Modules load at first use: protoc alone costs more memory than the rest of the registry.
    """
    loaded: Format = import_module(_MODULES[name]).FORMAT
    return loaded


def check_new(parsed: Parsed) -> None:
    """What a new schema must keep to beyond parsing; SchemaInvalidError says what it does not."""
    if parsed.format == "AVRO":
        import_module("registry.formats.avro.strict").check(parsed.model)
