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
# an instant at either end of the calendar has no neighbours to be compared with
_YEARS = range(1970, 9999)
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
    except ValueError:
        found = None
    if found is None:
        raise EventInvalidError(f"eventTime: {text[:_SHOWN]!r} is no instant")
    if found.year not in _YEARS:
        raise EventInvalidError(
            f"eventTime: {text[:_SHOWN]!r} is not of the years {_YEARS[0]} to {_YEARS[-1]}"
        )
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


@cache
def _validator(kind: Kind) -> Draft202012Validator:
    read = orjson.loads(SPECIFICATION.read_bytes())
    schema = {"$schema": read["$schema"], "$ref": f"#/$defs/{kind}", "$defs": read["$defs"]}
    return Draft202012Validator(schema, format_checker=formats)


def _candidates(event: Mapping[str, Any]) -> list[Kind]:
    """Return which of the three an event may be, by what it has; the likeliest first."""
    if "run" in event and ("job" in event or "dataset" not in event):
        return ["RunEvent"]
    found: list[Kind] = ["JobEvent"] if "job" in event else []
    return [*found, "DatasetEvent"] if "dataset" in event else found


def check(event: Mapping[str, Any]) -> Kind:
    """Return which event it is, or raise EventInvalidError saying where what is wrong.

    As published, it is exactly one of the three: what it has besides is not judged.
    """
    candidates = _candidates(event)
    if not candidates:
        raise EventInvalidError("$: neither `run`, `job` nor `dataset`: no OpenLineage event")
    allowed = [kind for kind in candidates if _validator(kind).is_valid(event)]
    if len(allowed) > 1:
        raise EventInvalidError(
            "$: both `job` and `dataset`: tell of them in a JobEvent and a DatasetEvent"
        )
    if not allowed:
        raise _invalid(candidates[0], event)
    return allowed[0]


def _invalid(kind: Kind, event: Mapping[str, Any]) -> EventInvalidError:
    errors = sorted(_validator(kind).iter_errors(event), key=lambda error: error.json_path)
    told = "; ".join(_sentence(error) for error in errors[:_TOLD])
    more = f"; and {len(errors) - _TOLD} more" if len(errors) > _TOLD else ""
    return EventInvalidError(told + more)


def _sentence(error: ValidationError) -> str:
    message = error.message
    if len(message) > _SHOWN:
        message = f"{message[: _SHOWN // 2]} … {message[-_SHOWN // 2 :]}"
    return f"{error.json_path}: {message}"
