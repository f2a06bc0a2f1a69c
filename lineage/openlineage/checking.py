"""Whether an event is one: the published schema, and what of it can be kept."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import orjson
from django.utils.dateparse import parse_datetime
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from lineage.openlineage.errors import EventInvalidError

Kind = Literal["RunEvent", "JobEvent", "DatasetEvent"]
SPECIFICATION = Path(__file__).parent / "spec" / "openlineage.json"
_TOLD = 3
_SHOWN = 120

formats = FormatChecker(formats=())
"""The formats that matter to us; a producer's URI is a name and is not judged."""


@formats.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(UUID(value))


@formats.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or _parsed(value) is not None


def _parsed(text: str) -> datetime | None:
    # clients that hold a day alone do not hold an instant
    return parse_datetime(text) if "t" in text.lower() else None


def read_instant(text: str) -> datetime:
    """Read an event's time; without a zone it is UTC, as many clients leave it out.

    Raises EventInvalidError.
    """
    try:
        found = _parsed(text)
        if found is not None:
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise EventInvalidError(f"eventTime: {text[:_SHOWN]!r} is no instant")


@cache
def _validator(kind: Kind) -> Draft202012Validator:
    read = orjson.loads(SPECIFICATION.read_bytes())
    schema = {"$schema": read["$schema"], "$ref": f"#/$defs/{kind}", "$defs": read["$defs"]}
    return Draft202012Validator(schema, format_checker=formats)


def kind_of(event: Mapping[str, Any]) -> Kind:
    """Return which of the three an event is. Raises EventInvalidError."""
    if "run" in event:
        return "RunEvent"
    if "job" in event:
        return "JobEvent"
    if "dataset" in event:
        return "DatasetEvent"
    raise EventInvalidError("$: neither `run`, `job` nor `dataset`: no OpenLineage event")


def check(event: Mapping[str, Any]) -> Kind:
    """Return which event it is, or raise EventInvalidError saying where what is wrong."""
    kind = kind_of(event)
    errors = sorted(_validator(kind).iter_errors(event), key=lambda error: error.json_path)
    if errors:
        told = "; ".join(_sentence(error) for error in errors[:_TOLD])
        more = f"; and {len(errors) - _TOLD} more" if len(errors) > _TOLD else ""
        raise EventInvalidError(told + more)
    return kind


def _sentence(error: ValidationError) -> str:
    message = error.message
    if len(message) > _SHOWN:
        message = f"{message[: _SHOWN // 2]} … {message[-_SHOWN // 2 :]}"
    return f"{error.json_path}: {message}"
